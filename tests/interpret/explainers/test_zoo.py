"""Every method on every architecture.

``pytest -m slow -s tests/interpret/explainers/test_zoo.py`` prints the table of all of them; the default run takes one
or two of each light family. The last column is what captum 0.9's guided backpropagation is, which ours is held against
nowhere here:

=============================================================  =============================
architectures                                                  captum's guided backprop is
=============================================================  =============================
ConvNeXt (4), EfficientNet (8) and V2 (3), GoogLeNet,          the plain gradient: 18 of 67
Inception v3, MobileNetV2
DenseNet (4), MobileNetV3 (2)                                  off, by 18 % to 270 %: 6 of 67
AlexNet, MNASNet, RegNet, ResNet, ShuffleNet, SqueezeNet, VGG  right: 43 of 67
=============================================================  =============================
"""

import pytest
import torch

import interpret
from interpret import EXPLAINERS, NetworkError, saliency
from interpret.explainers import explainer_named
from interpret.network.backward_rules import composite_named, difference_gradient, relevance_of, ruled_gradient
from tests.interpret.explainers import zoo

ALL = zoo.architectures()
BUNDLED = ("efficientnet_lite0", "squeezenet1_1")
# Cut at zero, so that a map without anything for the class is zero.
CUT = (
    *("gradcam", "gradcam_plusplus", "xgradcam", "layercam", "scorecam", "ablationcam", "guided_gradcam"),
    *("gradcam_elementwise", "shapleycam", "finercam"),
)
RULES = {"guided_backprop": "guided", "deconvnet": "deconvnet"}


@pytest.fixture(scope="module")
def table():
    """Rows of the table, printed at the end."""
    rows: dict[str, str] = {}
    yield rows
    width = max(map(len, rows), default=0)
    print("\n. a map, 0 a map of zeros, r refused as the table says; last, what captum's guided backpropagation is")
    print(" " * width, " ".join(method[:7].rjust(7) for method in EXPLAINERS))
    for name, row in rows.items():
        print(name.ljust(width), row)
    plain = sum(row.endswith("plain") for row in rows.values())
    print(f"captum's guided backpropagation is the plain gradient on {plain} of {len(rows)} architectures")


def relative(found, wanted):
    """The largest error, relative to the largest value."""
    return float((found - wanted).abs().max() / wanted.abs().max())


def check_rules(network, image, target):
    """Both rules against the network rebuilt by hand, in float64."""
    plain = saliency(network, image, target)
    assert torch.isfinite(plain).all() and plain.abs().max() > 0
    for method, rule in RULES.items():
        explained = explainer_named(method)(network, image, target)
        assert relative(explained, plain) > 1e-3, f"{method} is the plain gradient"
        with zoo.by_hand(network, rule) as same:
            source = image.clone().requires_grad_()
            logits = same(source)
            (wanted,) = torch.autograd.grad(logits[0, target], source)
        torch.testing.assert_close(logits, network(image), rtol=1e-9, atol=1e-9)
        assert relative(explained, wanted) < 1e-6, f"{method} is not what it is by hand"
    return plain


def check_sums(network, image, target):
    """DeepLIFT adds up to the rise of the score, and LRP, with what biases and epsilon keep, to the score."""

    def score(inputs):
        return network(inputs)[:, target]

    baseline = torch.zeros_like(image)
    rise = float(score(image) - score(baseline))
    found = (image - baseline) * difference_gradient(score, image, baseline, network)
    assert float(found.sum()) == pytest.approx(rise, rel=1e-4)
    kept = relevance_of(score, image, network, composite_named("epsilon-plus-flat"))
    assert float(kept.relevance.sum()) + kept.biases + kept.epsilon == pytest.approx(float(kept.scores), rel=1e-4)


def check_forward(network, image):
    """The rules change nothing but the backward pass."""
    logits = []

    def score(inputs):
        logits.append(network(inputs))
        return logits[0][:, 0]

    ruled_gradient(score, image.clone().requires_grad_(), "guided", network)
    assert torch.equal(logits[0], network(image))


def outcome(method, name, network, image, target):
    """One letter for what a method makes of a network, after the checks it has to stand."""
    options, explain = dict(zoo.OPTIONS.get(method, {})), explainer_named(method)
    if method in zoo.BY_CHANNEL:
        network, options["layer"] = zoo.narrow(network, image)
    expected = zoo.refusal(method, name)
    if expected is not None:
        with pytest.raises(NetworkError, match=expected):
            explain(network, image, target, **options)
        return "r"
    attribution = explain(network, image, target, **options)
    assert attribution.shape[0] == 1 and attribution.shape[2:] == image.shape[2:], method
    assert torch.isfinite(attribution).all(), method
    zero = attribution.abs().max() == 0
    assert not zero or method in CUT, f"{method} gives zeros"
    return "0" if zero else "."


def sweep(name):
    """Everything about one architecture; the row of the table."""
    network, image = zoo.build(name), zoo.picture(name)
    target = int(network(image).argmax())
    check_forward(network, image)
    row = [outcome(method, name, network, image, target).rjust(7) for method in EXPLAINERS]
    network, image = network.double(), image.double()  # rounding hides nothing there
    plain = check_rules(network, image, target)
    check_sums(network, image, target)
    try:
        theirs = zoo.captum_guided(network, image, target)
        guided = explainer_named("guided_backprop")(network, image, target)
        error = relative(theirs, guided)
        verdict = "plain" if relative(theirs, plain) < 1e-12 else "right" if error < 1e-9 else f"{error:.1%} off"
    except (AssertionError, RuntimeError, TypeError) as error:
        verdict = f"fails: {type(error).__name__}"
    return " ".join([*row, verdict])


@pytest.mark.parametrize("name", zoo.FAST)
def test_the_quick_ones(name, table):
    table[name] = sweep(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", ALL)
def test_every_architecture(name, table):
    table[name] = sweep(name)


@pytest.mark.slow
@pytest.mark.parametrize("name", zoo.WITH_ATTENTION)
def test_attention_adds_up(name):
    network = zoo.with_attention(name).double()
    image = zoo.picture(name).double()
    check_sums(network, image, 1)
    rules = composite_named("attnlrp")
    kept = relevance_of(lambda inputs: network(inputs)[:, 1], image, network, rules, opens_attention=True)
    assert float(kept.relevance.sum()) + kept.biases + kept.epsilon == pytest.approx(float(kept.scores), rel=1e-9)


@pytest.mark.slow
@pytest.mark.parametrize("name", ["vit_b_16", "swin_t", "maxvit_t", *BUNDLED])
@pytest.mark.parametrize("method", EXPLAINERS)
def test_every_method_on_transformers_and_bundled_networks(method, name):
    network = interpret.load(name).network if name in BUNDLED else zoo.with_attention(name)
    image = zoo.picture("vit_b_16")
    outcome(method, name, network, image, int(network(image).argmax()))


def test_the_tables_name_architectures_and_methods():
    assert set(zoo.FAST) <= set(ALL)
    for method, pattern, _ in zoo.REFUSALS:
        assert method in EXPLAINERS
        assert any(zoo.fnmatch.fnmatch(name, pattern) for name in (*ALL, *zoo.WITH_ATTENTION)), pattern
