"""A score without a gradient to what is asked is an error that says where the path is cut."""

import pytest
import torch
from torch import nn

from interpret import Classifier, NetworkError, check_gradient
from interpret.explainers import explainer_named
from tests.brought import Detached
from tests.refusals import refusal
from tests.state import left_as_found

pytestmark = pytest.mark.filterwarnings("ignore:None of the inputs have requires_grad", "ignore:.*use_reentrant")

CUTS = {
    "no_grad": ("in 'f', which runs under torch.no_grad", "in 'f', which runs under torch.no_grad"),
    "inference_mode": ("in 'f', which runs under torch.inference_mode",) * 2,
    "detach": ("between 'f' and 'fc'",) * 2,
    "numpy": ("between 'f' and 'fc'",) * 2,
    "raw numpy": ("behind 'f', by a call of numpy()",) * 2,
    "argmax": ("behind 'fc'",) * 2,
    "checkpoint": ("use_reentrant=False",) * 2,
}


def classifier(how):
    return Classifier(Detached(how).eval(), mean=[0.5] * 3, std=[0.25] * 3)


@pytest.mark.parametrize("method", ["saliency", "gradcam", "integrated_gradients", "layercam", "smoothgrad"])
@pytest.mark.parametrize("how", CUTS)
def test_the_cut_is_named(how, method):
    model, images = classifier(how), torch.rand(2, 3, 12, 12)
    with left_as_found(model, images):
        # On the way to a layer in the middle of what is cut, too.
        options = {"layer": "f.1"} if method in ("gradcam", "layercam") else {}
        message = refusal(lambda: explainer_named(method)(model, images, 1, **options), kind=NetworkError)
    assert CUTS[how][0] in message and ("layer 'f.1'" if options else "the picture") in message


@pytest.mark.parametrize("how", CUTS)
def test_check_gradient_names_the_same_place(how):
    message = refusal(check_gradient, classifier(how), torch.rand(1, 3, 12, 12), 1, kind=NetworkError)
    assert CUTS[how][1] in message


def test_what_lies_before_the_layer_does_not_matter():
    model, images = classifier("no_grad"), torch.rand(1, 3, 12, 12)
    model.network.fc = nn.Sequential(nn.Unflatten(1, (8, 1, 1)), nn.Upsample(scale_factor=2), Pooled())
    assert explainer_named("gradcam")(model, images, 1, layer="fc.1").shape == (1, 1, 12, 12)


class Pooled(nn.Linear):
    def __init__(self):
        super().__init__(8, 3)

    def forward(self, maps):
        return super().forward(maps.mean((2, 3)))


def test_methods_that_run_forwards_alone_still_work():
    for method in ("eigencam", "scorecam", "ablationcam", "occlusion"):
        options = {"layer": "f.3"} if method != "occlusion" else {"window": 6, "stride": 6}
        assert explainer_named(method)(classifier("detach"), torch.rand(1, 3, 12, 12), 1, **options).any()


def test_a_layer_that_leads_nowhere():
    class Beside(Detached):
        def __init__(self):
            super().__init__()
            self.side = nn.Conv2d(3, 4, 3)

        def forward(self, images):
            self.side(images)
            return super().forward(images)

    model = Classifier(Beside().eval(), mean=[0.5] * 3, std=[0.25] * 3)
    message = refusal(
        lambda: explainer_named("gradcam")(model, torch.rand(1, 3, 12, 12), 1, layer="side"), kind=NetworkError
    )
    assert "does not depend on layer 'side'" in message


def test_a_score_that_is_cut_itself():
    message = refusal(
        lambda: explainer_named("saliency")(
            classifier("none"), torch.rand(1, 3, 12, 12), lambda logits: logits[:, 1].detach()
        ),
        kind=NetworkError,
    )
    assert "behind the logits" in message


@pytest.mark.filterwarnings("ignore::DeprecationWarning", "ignore:.*quantize")
def test_a_quantised_head():
    quantize = pytest.importorskip("torch.ao.quantization").quantize_dynamic
    model = classifier("none")
    try:
        model.network = quantize(model.network, {nn.Linear}, dtype=torch.qint8)
    except (RuntimeError, NotImplementedError) as error:
        pytest.skip(str(error))
    message = refusal(lambda: explainer_named("gradcam")(model, torch.rand(1, 3, 12, 12), 1), kind=NetworkError)
    assert "in 'fc'" in message and "quantised" in message
