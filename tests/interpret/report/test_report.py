"""The report: what it finds in pictures, and what the page says of it."""

import io
import re

import pytest
import torch
from PIL import Image

import interpret
from interpret.errors import InterpretError
from interpret.explainers import EXPLAINERS
from interpret.explainers.aggregation import importance
from interpret.faithfulness.baseline_maps import centred_gaussian
from interpret.images.files import write
from interpret.report.findings import BASELINE, STEPS, Areas, Explained, Map, found_in
from interpret.report.findings import Prediction as Seen
from interpret.report.findings import ReportOptions as Wanted
from interpret.report.network import Network, checks
from interpret.report.network import SanityCheck as Check
from interpret.report.render import Report, page, percent
from interpret.report.smallest_change import Attack, change_of
from interpret.report.thumbnails import photo_of
from interpret.report.words import WORDS
from tests.command import FLOWERS, flowers
from tests.interpret.report.outline import Outline

METHODS = ("gradcam", "guided_backprop", "saliency")


@pytest.fixture
def image():
    return torch.rand(1, 3, 40, 60, generator=torch.Generator().manual_seed(1))


def darker(model, images, labels):
    """Stands for an attack: at a level of 0 the bias alone decides."""
    return torch.zeros_like(images)


def unmoved(model, images, labels):
    return images


def test_a_finding_is_what_the_parts_say(image):
    classifier = flowers().eval()
    finding = found_in("a", image, classifier, Wanted(METHODS, ["tulip", 3]))
    shares = classifier(image)[0].softmax(0)
    assert [seen.index for seen in finding.top] == shares.argsort(descending=True).tolist()
    assert [seen.probability for seen in finding.top] == pytest.approx(shares.sort(descending=True).values.tolist())
    assert [part.seen.name for part in finding.explained] == ["tulip", "poppy"]
    inputs, view = classifier.prepare(image)[0].clamp(0, 1), classifier.on_inputs()
    tulip = finding.explained[0]
    for found in tulip.maps:
        ranked = importance(getattr(interpret, found.method)(view, inputs, 1), found.method)
        for name in ("deletion", "insertion"):
            area = getattr(interpret, name)(view, inputs, 1, ranked, steps=STEPS, baseline=BASELINE).area
            assert getattr(found.areas, name) == pytest.approx(float(area), rel=1e-4)
    hill = interpret.deletion(view, inputs, 1, centred_gaussian(inputs), steps=STEPS, baseline=BASELINE).area
    assert tulip.centre.deletion == pytest.approx(float(hill), rel=1e-4)
    assert finding.box == pytest.approx((1 / 6, 0, 2 / 3, 1))  # 40 of 60 columns, in the middle


def test_pieces_are_counted_as_they_are_done(image):
    done, begun = [], []
    told = {"begin": begun.append, "done": lambda: done.append(1)}
    wanted = Wanted(METHODS, ["rose", "tulip"], Attack(unmoved, "nothing"), **told)
    found_in("a", image, flowers(), wanted)
    assert len(done) == wanted.pieces() == 2 * (len(METHODS) + 1) + 1
    each = [*(method.replace("_", "-") for method in METHODS), "deletion and insertion"]
    assert begun == [*each, *each, "the smallest change that fools it"]


def test_a_method_that_cannot_explain_a_network_does_not_end_the_page(image):
    class NoMap(torch.nn.Module):
        def __init__(self):
            super().__init__()
            self.head = torch.nn.Linear(3 * 32 * 32, 5)

        def forward(self, images):
            return self.head(images.flatten(1))

    classifier = interpret.Classifier(NoMap(), mean=(0.5,) * 3, std=(0.25,) * 3, labels=FLOWERS, input_size=32)
    finding = found_in("a", image, classifier, Wanted(["gradcam", "saliency"]))
    lost, fine = finding.explained[0].maps
    assert lost.drawn is None and lost.trouble
    assert fine.drawn is not None and not fine.trouble
    page = interpret.report_page(classifier, {"a": image}, methods=["gradcam", "saliency"])
    assert "not checked" in page and lost.trouble in Outline(page).words


def test_the_change_is_measured_where_it_was_made(image):
    classifier = flowers()
    classifier.network.head.bias.data = torch.tensor([0.0, 0, 0, 0, 3])
    classifier.network.head.weight.data[4] = -1
    found = change_of(classifier, image, Attack(darker, "darkness"))
    assert not found.trouble and found.own and found.size == (60, 40)
    levels = torch.round(image * 255)
    assert found.levels == pytest.approx(float(levels.max()), abs=1e-3)
    assert found.share == pytest.approx(float((levels > 0).any(1).float().mean()))
    assert found.times == pytest.approx(127.5 / found.levels)
    assert found.after[0] != found.before[0] and found.left < found.after[1]


def test_a_change_that_does_not_fool_is_none(image):
    assert change_of(flowers(), image, Attack(unmoved, "nothing")).trouble == "none was found by nothing"

    def refuses(*given):
        raise InterpretError("no gradient")

    assert change_of(flowers(), image, Attack(refuses, "nothing")).trouble == "no gradient"


def test_a_large_picture_is_changed_on_the_networks_input(monkeypatch, image):
    monkeypatch.setattr("interpret.report.smallest_change.LARGEST", 60 * 40 - 1)
    found = change_of(flowers(), image, Attack(unmoved, "nothing"))
    assert not found.own and found.size == (32, 32)


def test_a_check_that_takes_too_many_passes_is_left_out(monkeypatch, image):
    monkeypatch.setattr("interpret.report.network.BUDGET", 50)
    classifier = flowers()
    inputs = classifier.prepare(image)[0]
    cheap, dear = checks(classifier, [inputs], [0], ["gradcam", "integrated_gradients"])
    assert cheap.passed is not None and cheap.pictures == 1
    assert dear.passed is None and dear.trouble


@pytest.mark.parametrize(
    ("deletion", "insertion", "better"),
    [(0.1, 0.6, (True, True)), (0.25, 0.6, (False, True)), (0.1, 0.45, (True, False)), (0.2, 0.5, (False, False))],
)
def test_a_map_has_to_beat_both_floors(deletion, insertion, better):
    floors = Areas(0.2, 0.3), Areas(0.4, 0.5)
    found = Map("gradcam", areas=Areas(deletion, insertion))
    for pair in (floors, floors[::-1]):
        assert Explained(Seen(0, "rose", 0.5), [found], *pair).beats(found) == better


@pytest.mark.parametrize(
    ("share", "said"), [(0, "< 0.1%"), (0.0004, "< 0.1%"), (0.001, "0.1%"), (0.389, "38.9%"), (0.9999, "> 99.9%")]
)
def test_no_probability_is_shown_as_none_or_all(share, said):
    assert percent(share) == said


def test_what_fails_is_said_beside_the_map(image):
    classifier = flowers()
    finding = found_in("a", image, classifier, Wanted(["gradcam", "saliency"]))
    network = Network.of(classifier, "net", image)
    checked = {"gradcam": Check("gradcam", False, 0.9, 0.1, 2), "saliency": Check("saliency", True, 0.2, 0.1, 2)}
    words = Outline(page(Report(network, [finding], checked))).words
    assert words.count("fails") == 2  # below the map, and in the table
    assert words.index("fails") < words.index("Saliency")  # below the map of Grad-CAM, which comes first
    assert "fails" not in Outline(page(Report(network, [finding]))).words


def test_a_picture_has_the_size_of_a_page():
    big = torch.rand(1, 3, 700, 1400, generator=torch.Generator().manual_seed(0))
    for given, size in ((big, (640, 320)), (big[..., :20, :40], (224, 112)), (big[..., :300, :300], (300, 300))):
        assert Image.open(io.BytesIO(photo_of(given))).size == size


def test_every_method_has_its_words():
    assert list(WORDS) == list(EXPLAINERS)
    assert all(shown and hidden for shown, hidden in WORDS.values())


def test_the_page_needs_nothing_else(image):
    page = interpret.report_page(flowers(), {"a<i>": image, "b": image.flip(3)}, methods=METHODS, name="<net>")
    outline = Outline(page)
    assert not outline.open
    rest = re.sub(r"data:image/webp;base64,[\w+/=]+", "", page)
    assert not re.search(r"(https?:)?//[a-z]", rest, re.IGNORECASE)
    for tag, attributes in outline.elements:
        for name in ("src", "href"):
            assert name not in attributes or attributes[name].startswith(("data:", "#")), (tag, attributes)
    (policy,) = [meta["content"] for meta in outline.every("meta") if "http-equiv" in meta]
    assert "default-src 'none'" in policy and "unsafe-inline" not in policy.partition("script-src")[2]
    assert "<net>" not in page and "a<i>" not in page and "a<i>" in outline.words
    places = {attributes["id"] for _, attributes in outline.elements if "id" in attributes}
    assert {link["href"][1:] for link in outline.every("a")} <= places
    ids = [attributes["id"] for _, attributes in outline.elements if "id" in attributes]
    assert len(ids) == len(set(ids))


def test_the_page_can_be_read_without_seeing_it(image):
    outline = Outline(interpret.report_page(flowers(), {"a": image}, methods=METHODS, classes=["rose", "poppy"]))
    assert outline.every("html")[0]["lang"] == "en"
    assert all(picture["alt"] for picture in outline.every("img"))
    alts = " / ".join(picture["alt"] for picture in outline.every("img"))
    assert "Grad-CAM for rose on a" in alts and "Guided backpropagation for poppy on a" in alts
    levels = [int(tag[1]) for tag, _ in outline.elements if re.fullmatch("h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in zip(levels, levels[1:], strict=False))
    groups = {button["name"] for button in outline.every("input")}
    assert len(groups) == 2 and len(outline.every("input")) == 6
    chosen = [button["value"] for button in outline.every("input") if "checked" in button]
    assert chosen == ["overlay", "overlay"]


def test_the_page_is_the_same_again(image):
    pages = {interpret.report_page(flowers(), {"a": image}, methods=METHODS, seed=seed) for seed in (3, 3)}
    assert len(pages) == 1


def test_python_gets_pages_and_errors(image, tmp_path, monkeypatch):
    monkeypatch.chdir(tmp_path)
    write("wide.png", image)
    (tmp_path / "broken.png").write_bytes(b"no picture")
    page = interpret.report_page(flowers(), ["wide.png", "broken.png"], methods=["saliency"], check=False)
    words = Outline(page).words
    assert "Not shown" in words and "broken.png" in words and "sanity" not in words.casefold()
    with pytest.raises(InterpretError, match="none of the pictures"):
        interpret.report_page(flowers(), ["broken.png"])
    with pytest.raises(InterpretError, match="gradcam"):
        interpret.report_page(flowers(), {"a": image}, methods=["gradcm"])
    with pytest.raises(InterpretError, match="rose"):
        interpret.report_page(flowers(), {"a": image}, classes=["roze"])
