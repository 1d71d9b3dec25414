"""The report in a browser that has no network: nothing is loaded, nothing complains, everything can be used."""

import pytest
import torch

import interpret
from interpret.report.smallest_change import Attack
from tests.browsers import browser  # noqa: F401  (a fixture)
from tests.command import flowers


@pytest.fixture(scope="module")
def file(tmp_path_factory):
    """A report on two pictures, one with a name as long as a line."""
    draws = torch.Generator().manual_seed(1)
    wide, tall = torch.rand(1, 3, 40, 70, generator=draws), torch.rand(1, 3, 64, 40, generator=draws)
    images = {"wide.png": wide, f"{'a_very_long_name' * 6} <script>alert(1)</script>.png": tall}
    classifier = flowers()
    # Which sees a water lily only where there is little to see.
    classifier.network.head.weight.data[4] = -1
    classifier.network.head.bias.data[4] = 3
    attack = Attack(lambda model, images, labels: torch.zeros_like(images), "darkness")
    page = interpret.report_page(classifier, images, methods=["gradcam", "guided_backprop", "saliency"], attack=attack)
    path = tmp_path_factory.mktemp("report") / "page.html"
    path.write_text(page, encoding="utf-8")
    return path


@pytest.fixture
def opened(browser, file):  # noqa: F811
    """Opens the page as wide and in such colours as asked for; in the end there must be nothing to complain about."""
    complaints, requests, contexts = [], [], []

    def open_page(width=1200, **asked):
        context = browser.new_context(viewport={"width": width, "height": 800}, offline=True, **asked)
        contexts.append(context)
        page = context.new_page()
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(file.as_uri())
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints
    assert {url for url in requests if not url.startswith("data:")} == {file.as_uri()}


def shown(page, view: str) -> list[bool]:
    """Whether each map of the first picture is seen in a view."""
    kind = {"overlay": "over", "heatmap": "alone"}[view]
    seen = "found => found.map(one => one.checkVisibility({checkOpacity: true}))"
    return page.locator(f"#picture-1 .frame img.{kind}").evaluate_all(seen)


def background(page) -> int:
    """How bright the page is, from 0 to 765."""
    colour = page.evaluate("getComputedStyle(document.body).backgroundColor")
    return sum(int(part) for part in colour.removeprefix("rgb(").removesuffix(")").split(","))


def test_all_pictures_are_there(opened):
    page = opened()
    pictures = page.evaluate(
        "[...document.images].map(one => [one.complete, one.naturalWidth, one.alt, one.decode().then(() => 1)])"
    )
    assert len(pictures) == 2 * (1 + 2 * 3 + 3)
    assert all(complete and width > 0 and alt for complete, width, alt, _ in pictures)
    assert page.locator("h1").count() == 1


def test_views_are_switched_by_click_and_by_key(opened):
    page = opened(reduced_motion="reduce")
    assert all(shown(page, "overlay")) and not any(shown(page, "heatmap"))
    page.locator("#picture-1").get_by_text("Heatmap", exact=True).click()
    assert all(shown(page, "heatmap")) and not any(shown(page, "overlay"))
    page.keyboard.press("ArrowRight")
    assert page.locator("#picture-1 input:checked").get_attribute("value") == "picture"
    assert not any(shown(page, "heatmap")) and not any(shown(page, "overlay"))
    page.keyboard.press("ArrowRight")
    assert all(shown(page, "overlay"))
    assert page.locator("#picture-2 input:checked").get_attribute("value") == "overlay"


def test_the_focus_is_seen(opened):
    page = opened()
    outlines = []
    for _ in range(12):
        page.keyboard.press("Tab")
        outlines.append(
            page.evaluate("(one => getComputedStyle(one.closest('label') ?? one).outlineStyle)(document.activeElement)")
        )
    assert set(outlines) == {"solid"}


def test_light_and_dark(opened):
    light, dark = opened(color_scheme="light"), opened(color_scheme="dark")
    assert background(light) > 600 and background(dark) < 150
    for page, after in ((light, "dark"), (dark, "light")):
        page.get_by_role("button", name=after).click()
    assert background(light) < 150 and background(dark) > 600
    light.keyboard.press("Enter")  # the button has the focus
    assert background(light) > 600


@pytest.mark.parametrize("width", [320, 390, 800, 1600])
def test_nothing_is_wider_than_the_screen(opened, width):
    page = opened(width)
    for fold in page.locator("summary").all():
        fold.click()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
    columns = page.locator("#picture-1 .maps figure").evaluate_all(
        "found => new Set(found.map(one => one.getBoundingClientRect().left)).size"
    )
    assert (columns == 1) == (width <= 390)


def test_paper_has_the_overlay_and_no_buttons(opened):
    page = opened(color_scheme="dark")
    page.locator("#picture-1").get_by_text("Picture", exact=True).click()
    page.emulate_media(media="print")
    assert all(shown(page, "overlay")) and not any(shown(page, "heatmap"))
    assert not any(button.is_visible() for button in page.locator("button, .views").all())
    assert background(page) == 765
    assert page.evaluate("getComputedStyle(document.body).color") == "rgb(0, 0, 0)"


def test_contents_lead_to_the_pictures(opened):
    page = opened()
    links = page.locator("nav a")
    assert links.count() == 4
    links.nth(1).click()
    assert page.url.endswith("#picture-2")
    assert page.locator("#picture-2").evaluate("one => Math.abs(one.getBoundingClientRect().top) < 5")


def test_it_can_be_used_without_its_script(opened):
    page = opened(java_script_enabled=False)
    assert not any(button.is_visible() for button in page.locator("button").all())
    page.locator("#picture-1").get_by_text("Heatmap", exact=True).click()
    assert page.locator("#picture-1 .frame img.alone").first.is_visible()
    assert not page.locator("#picture-1 .frame img.over").first.is_visible()
