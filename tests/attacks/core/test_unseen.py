"""Where the model sees nothing, a random start leaves nothing behind."""

import pytest
import torch

import attacks
from interpret.classifier import Classifier
from tests.attack_nets import convnet, predictions, samples

RANDOM = {
    "pgd": {},
    "fgsm": {"random_start": True},
    "mifgsm": {"random_start": True},
    "apgd": {},
    "autoattack": {"queries": 0, "target_classes": 4},
}


@pytest.mark.filterwarnings("ignore:not the standard AutoAttack")
@pytest.mark.parametrize("norm", ["Linf", "L2"])
@pytest.mark.parametrize("name", RANDOM)
def test_what_the_crop_cuts_off_stays(name, norm):
    model, images = convnet(), samples(6, (3, 12, 16))

    def cropped(points):
        return model(points[..., 2:-2])

    labels = predictions(cropped, images)
    for stop in [{"stop_when_fooled": True}, {}] if name in ("pgd", "mifgsm", "apgd") else [{}]:
        steps = {} if name == "fgsm" else {"steps": 10}
        settings = {"norm": norm, "eps": {"Linf": 0.1, "L2": 1.0}[norm], **steps, **RANDOM[name], **stop}
        found = getattr(attacks, name)(cropped, images, labels, **settings)
        changed = (found != images).any(1)
        assert not changed[..., :2].any() and not changed[..., -2:].any() and changed[..., 2:-2].any()


def test_a_photo_changes_only_inside_the_crop():
    classifier = Classifier(
        convnet(dtype=torch.float32), mean=[0.5] * 3, std=[0.2] * 3, labels=list("abcde"), input_size=12
    )
    image = samples(1, (3, 12, 16), dtype=torch.float32)
    found = attacks.pgd(classifier, image, eps=8 / 255, steps=4, quantize=True)
    leaf = image.clone().requires_grad_()
    seen = torch.autograd.grad(classifier(leaf).sum(), leaf)[0] != 0
    assert not seen.all() and torch.equal(found[~seen], image[~seen]) and not torch.equal(found, image)


def test_what_fools_is_not_undone():
    # Above 0.5 the first pixel decides; below, its gradient is zero.
    images = torch.full((1, 2), 0.45)

    def model(points):
        return torch.stack(
            [0.01 * points[:, 1], (points[:, 0] - 0.5).clamp_min(0).detach() * 100 + 0 * points[:, 0]], 1
        )

    found = attacks.pgd(model, images, torch.tensor([0]), eps=0.2, steps=3, restarts=20, stop_when_fooled=True)
    assert model(found).argmax(1) == 1 and found[0, 0] > 0.5
    training = attacks.pgd(model, images, torch.tensor([0]), eps=0.02, steps=1, seed=torch.Generator().manual_seed(0))
    assert training[0, 0] != images[0, 0]
