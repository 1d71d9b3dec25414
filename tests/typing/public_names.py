"""What type checkers know of the public names: run by mypy and pyright, never by Python."""

from collections.abc import Sequence
from pathlib import Path
from typing import assert_type

from torch import Tensor, nn

import attacks
import interpret
from interpret import Classifier, gradcam, integrated_gradients, occlusion

classifier = interpret.load("resnet18", weights=Path("mine.pth"), labels=["cat", "dog"])
assert_type(classifier, Classifier)
assert_type(interpret.Classifier(nn.Flatten(), mean=[0.5], std=[0.5]), Classifier)
image = interpret.read("sample:cat")
assert_type(image, Tensor)
assert_type(classifier.find("cat", image), Tensor)
assert_type(classifier.prepare(image)[1].seen(), Tensor)
assert_type(gradcam(classifier, image, 281, layer="_blocks.9", relu=False), Tensor)
assert_type(interpret.saliency(classifier, "cat.jpg"), Tensor)
assert_type(integrated_gradients(classifier, image, interpret.contrast(281, 207), steps=20), Tensor)
assert_type(occlusion(classifier, image, [281], window=32), Tensor)
kind: str = interpret.diagnose(image)[0].kind
assert_type(attacks.pgd(classifier, image, eps=2 / 255, steps=10, quantize=True), Tensor)
assert_type(attacks.deepfool(classifier, image, Tensor([281])), Tensor)
assert_type(attacks.ATTACKS, dict[str, str])
assert_type(interpret.EXPLAINERS, dict[str, str])
names: Sequence[str] = interpret.imagenet()

# What is wrong is seen: each of these lines has an error, and one that had none would be told.
gradcam(classifier, image, 281, layers="_blocks.9")  # type: ignore[call-arg]
occlusion(classifier, image, window="large")  # type: ignore[arg-type]
attacks.pgd(classifier, image, steps="ten")  # type: ignore[arg-type]
misspelt = interpret.gradcan  # type: ignore[attr-defined]
missing = attacks.pgd_attack  # type: ignore[attr-defined]
