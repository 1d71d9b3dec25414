"""What holds for every explainer of the table."""

import gc
import inspect

import pytest
import torch
from torch import nn

from interpret import EXPLAINERS, Classifier, InterpretError, NetworkError, contrast
from interpret.explainers import OF_ATTENTION, explainer_named
from tests.state import left_as_found
from tests.tiny import SmallCNN, SmallTransformer

# Few passes: these laws do not ask how good a map is.
FEW = {"masks": 8, "steps": 4, "window": 8, "stride": 8, "pieces": 4, "samples": 6}


def options_of(explain):
    return inspect.signature(explain).parameters


def each_of(explainers):
    return pytest.mark.parametrize("explain", explainers, ids=[explain.__name__ for explain in explainers])


def with_option(option):
    return each_of([explain for explain in EVERY if option in options_of(explain)])


EVERY = [explainer_named(name) for name in EXPLAINERS]
explainers = each_of(EVERY)


def run(explain, model, images, target, **settings) -> torch.Tensor:
    """A method with those of the settings that it knows."""
    given = {**FEW, **settings}
    return explain(model, images, target, **{name: given[name] for name in given if name in options_of(explain)})


def network_for(explain) -> nn.Module:
    """A tiny network that a method can explain."""
    return SmallTransformer() if explain is not None and explain.__name__ in OF_ATTENTION else SmallCNN()


def classifier(explain=None, **options) -> Classifier:
    torch.manual_seed(3)
    network = network_for(explain).eval()
    for module in network.modules():
        if isinstance(module, nn.BatchNorm2d):
            module.running_mean.normal_(std=0.1)
    return Classifier(network, mean=[0.5] * 3, std=[0.25] * 3, **options)


def pictures(count: int = 2) -> torch.Tensor:
    return torch.rand(count, 3, 20, 16, generator=torch.Generator().manual_seed(7))


@explainers
def test_everything_is_as_found(explain):
    model, images = classifier(explain, input_size=16), pictures()
    model.network.dropout.train()  # a state nobody would set up by hand, but it is the user's
    model.network.head.weight.requires_grad_(False)
    model.network.conv1.weight.grad = torch.ones_like(model.network.conv1.weight)
    with left_as_found(model, images):
        attribution = run(explain, model, images, torch.tensor([1, 2]))
    assert not attribution.requires_grad and attribution.grad_fn is None
    assert attribution.shape[0] == 2 and attribution.shape[-2:] == images.shape[-2:]
    assert attribution.dtype == images.dtype and torch.isfinite(attribution).all()
    assert attribution.abs().max() > 0


@explainers
@pytest.mark.parametrize(
    "error, raised",
    [
        (ValueError, (ValueError, NetworkError)),
        (KeyboardInterrupt, KeyboardInterrupt),
    ],
    ids=["error", "ctrl-c"],
)
def test_everything_is_as_found_after_an_exception(explain, error, raised):
    model, images = classifier(explain).train(), pictures()
    passes, last = [], None

    def watch(*_):
        passes.append(torch.rand(1))  # some networks draw random numbers
        if len(passes) == last:
            raise error("in the middle")

    handle = model.network.bn2.register_forward_hook(watch)
    for _ in range(2):  # the first of them may look for a layer, too
        passes.clear()
        run(explain, model, images, 1, layer="conv1")
    last = len(passes)
    passes.clear()
    with pytest.raises(raised, match="in the middle"), left_as_found(model, images):
        run(explain, model, images, 1, layer="conv1")
    handle.remove()


@explainers
@pytest.mark.parametrize("how", ["frozen", "no_grad", "inference_mode", "training", "channels_last", "leaf", "view"])
def test_same_in_every_state(explain, how):
    model, images, target = classifier(explain, input_size=16), pictures(), torch.tensor([1, 2])
    expected = run(explain, model, images, target)
    if how == "frozen":
        model.requires_grad_(False)
        found = run(explain, model, images, target)
    elif how == "no_grad":
        with torch.no_grad():
            found = run(explain, model, images, target)
    elif how == "inference_mode":
        with torch.inference_mode():
            found = run(explain, model, images.clone(), target.clone())
    elif how == "training":
        found = run(explain, model.train(), images, target)
    elif how == "channels_last":
        last = torch.channels_last
        found = run(explain, model.to(memory_format=last), images.to(memory_format=last), target)
    elif how == "leaf":
        found = run(explain, model, images.clone().requires_grad_(), target)
    else:
        found = run(explain, model, torch.cat([images, images], 3)[..., :16], target)
    torch.testing.assert_close(found, expected, rtol=1e-4, atol=1e-6)


@explainers
def test_float64_agrees(explain):
    model, images = classifier(explain), pictures()
    expected = run(explain, model, images, 1)
    found = run(explain, model.double(), images.double(), 1)
    assert found.dtype == torch.float64
    torch.testing.assert_close(found.float(), expected, rtol=1e-3, atol=1e-5)


@explainers
def test_no_picture_depends_on_its_neighbours(explain):
    model, images, targets = classifier(explain, input_size=16), pictures(5), torch.tensor([0, 1, 2, 3, 4])
    together = run(explain, model, images, targets)
    for image, target, attribution in zip(images, targets, together, strict=True):
        alone = run(explain, model, image[None], target[None])[0]
        assert (alone - attribution).abs().max() <= 1e-4 * attribution.abs().max()


@with_option("max_batch")
def test_how_many_passes_are_made_at_a_time_does_not_matter(explain):
    # In float32 the scores differ in their last digits by the size of the chunk, and some methods take differences.
    model, images, targets = classifier(explain).double(), pictures().double(), torch.tensor([1, 2])
    expected = run(explain, model, images, targets, max_batch=64)
    assert expected.abs().max() > 0
    for max_batch in (1, 3):
        found = run(explain, model, images, targets, max_batch=max_batch)
        assert (found - expected).abs().max() <= 1e-11 * expected.abs().max()


@explainers
def test_a_plain_network_is_a_classifier_too(explain):
    network = network_for(explain).train()
    attribution = run(explain, network, pictures(), 1)
    assert attribution.shape[-2:] == (20, 16) and all(module.training for module in network.modules())


@explainers
def test_a_run_repeats_whatever_else_draws_random_numbers(explain):
    model, images = classifier(explain), pictures()
    first = run(explain, model, images, 1)
    torch.rand(5)
    assert torch.equal(run(explain, model, images, 1), first)


@with_option("seed")
def test_another_seed_is_another_map(explain):
    model, images = classifier(explain), pictures()
    drawn = {"baseline": "uniform"} if explain.__name__ in ("integrated_gradients", "deeplift") else {}
    first, other = (run(explain, model, images, 1, seed=seed, **drawn) for seed in (0, 1))
    assert (first - other).abs().max() > 1e-3 * first.abs().max()


@explainers
@pytest.mark.parametrize(
    "target",
    [[1], [1, 2, 3], -1, [0, -1], 5, [0.5, 1.5], "cat", torch.zeros(2, 1).long()],
    ids=["few", "many", "below", "one", "above", "half", "name", "column"],
)
def test_targets_are_checked(explain, target):
    with pytest.raises(InterpretError):
        run(explain, classifier(explain, input_size=16), pictures(), target)


@pytest.mark.parametrize(
    "name", ["rise", "smoothgrad", "integrated_gradients", "gradient_shap", "kernel_shap", "gradcam"]
)
def test_a_contrast_may_have_a_target_for_each_image(name):
    explain = explainer_named(name)
    model, images = classifier(explain, input_size=16), pictures()
    together = run(explain, model, images, contrast(torch.tensor([1, 2]), 0))
    alone = run(explain, model, images[1:], contrast(2, 0))
    assert (together[1:] - alone).abs().max() <= 1e-4 * alone.abs().max()


def tensors() -> int:
    """How many tensors are alive, of those made since ``gc.freeze``, which spares looking at all that is imported."""
    gc.collect()
    return sum(issubclass(type(thing), torch.Tensor) for thing in gc.get_objects())


@explainers
def test_many_calls_leave_no_tensor_and_no_hook(explain):
    model, images = classifier(explain, input_size=16), pictures(1)
    calls = 200 if explain.__name__ in ("gradcam", "saliency", "guided_backprop") else 10
    run(explain, model, images, 1)
    gc.freeze()
    try:
        run(explain, model, images, 1)
        before = tensors()
        for _ in range(calls):
            run(explain, model, images, 1)
        assert tensors() == before
    finally:
        gc.unfreeze()
    assert all(not module._forward_hooks and not module._backward_hooks for module in model.modules())


def test_every_setting_of_these_laws_is_an_option_of_some_explainer():
    assert set(FEW) <= {option for explain in EVERY for option in options_of(explain)}


@explainers
def test_of_a_picture_in_tiles_each_is_explained_alone(explain):
    model, images = classifier(explain, input_size=16, crop="tiles"), pictures().mT
    inputs, geometry = model.prepare(images)
    tiles, view = model.tiles_of(inputs), classifier(explain)
    target = torch.tensor([1, 2])
    expected = run(explain, view, tiles.cut(inputs), target.repeat_interleave(len(tiles.corners)))
    expected = explain.lay_back(geometry, tiles.joined(expected))
    torch.testing.assert_close(run(explain, model, images, target), expected, rtol=1e-4, atol=1e-6)
