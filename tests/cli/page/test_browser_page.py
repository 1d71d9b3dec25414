"""The page in a browser: clicked through with a bundled network, without a complaint or a request to elsewhere."""

from urllib.parse import parse_qs

import pytest

from tests.browsers import browser  # noqa: F401  (a fixture)
from tests.cli.page.site import served
from tests.command import CAT, SQUEEZE, interp

SMALL = (*SQUEEZE, "--input-size", "112")  # a quarter of the work

WAIT = 120_000  # milliseconds


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("page"))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        patch.setattr("interpret.report.findings.STEPS", 2)  # the verdicts are not what is looked at here
        passed = {"passed": True, "likeness": 0.3, "floor": 0.1, "trouble": ""}
        patch.setattr("cli.commands.page.look._sanity", lambda *_: passed)
        with served(patch, "sample:cat-and-dog", "sample:koala", *SMALL, "--threads", "1") as found:
            yield found


@pytest.fixture
def opened(browser, site):  # noqa: F811
    """Opens the page at a state; in the end there must be nothing to complain about."""
    complaints, requests, contexts = [], [], []

    def open_page(state="", width=1200, **asked):
        calm = {"reduced_motion": "reduce", **asked}  # what moves costs a browser without a GPU more than the network
        context = browser.new_context(viewport={"width": width, "height": 800}, **calm)
        contexts.append(context)
        page = context.new_page()
        page.set_default_timeout(WAIT)
        page.on("console", lambda message: complaints.append(message.text))
        page.on("pageerror", lambda error: complaints.append(str(error)))
        page.on("request", lambda request: requests.append(request.url))
        page.goto(f"{site.address}/#{state}")
        return page

    yield open_page
    for context in contexts:
        context.close()
    assert not complaints
    assert all(url.startswith((f"{site.address}/", "data:")) for url in requests)


def until(page, expression: str, **more) -> None:
    """Wait until an expression in the page is true."""
    page.wait_for_function(expression, polling=100, **more)


def shown_bytes(page, selector: str) -> bytes:
    """The file behind a picture that is shown."""
    until(page, "at => document.querySelector(at)?.naturalWidth > 0", arg=selector)
    found = page.evaluate(
        "async at => [...new Uint8Array(await (await fetch(document.querySelector(at).src)).arrayBuffer())]", selector
    )
    return bytes(found)


def test_look(opened, site, tmp_path):
    page = opened(f"methods=gradcam,saliency&picture={site.id('sample:cat-and-dog')}")
    page.locator("#look .bars button").first.wait_for()
    assert page.locator("#look .map img").count() == 2
    (top,) = interp("gradcam", "sample:cat-and-dog", *SMALL, "-o", f"{tmp_path}/").paths
    assert shown_bytes(page, "[data-method=gradcam] img") == top.read_bytes()
    page.locator("#look .bars button").nth(1).click()
    named = page.locator("#look .bars button").nth(1).locator("span").inner_text()
    until(
        page,
        "name => document.querySelector('[data-method=gradcam] .scale b')?.textContent.startsWith(name)",
        arg=named,
    )
    assert "class=" in page.url
    (second,) = interp("gradcam", "sample:cat-and-dog", "-c", named, *SMALL, "-o", f"{tmp_path}/").paths
    assert shown_bytes(page, "[data-method=gradcam] img") == second.read_bytes()
    page.locator("#look .map .frame").first.hover(position={"x": 90, "y": 90})
    until(page, "() => [...document.querySelectorAll('#look .map .value')].every(one => one.textContent)")
    page.go_back()
    until(page, "() => !location.hash.includes('class=')")


def test_look_by_keys(opened, site):
    page = opened(f"methods=gradcam&picture={site.id('sample:koala')}", color_scheme="dark")
    page.locator("[data-method=gradcam] .scale b").wait_for()
    page.locator("[data-method=gradcam] .frame").focus()
    page.keyboard.press("ArrowRight")
    until(page, "() => document.querySelector('[data-method=gradcam] .value').textContent !== ''")
    numbers = "async () => (await import('/page/dom.js')).number"
    shown = page.evaluate(f"async () => [530, -0.02694, 0, 1.5e-7, 120000].map(await ({numbers})())")
    assert shown == ["530", "-0.0269", "0", "1.5e-7", "120000"]
    page.locator("#tab-look").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#tab-units").get_attribute("aria-selected") == "true" and "tab=units" in page.url


def test_units(opened, site, tmp_path):
    page = opened(f"methods=gradcam&picture={site.id('sample:cat-and-dog')}&layer=features.12")
    until(page, "() => document.querySelector('#look .frame img')?.naturalWidth > 0")
    box = page.locator("#look .frame").first.bounding_box()
    page.locator("#look .frame").first.click(position={"x": box["width"] * 0.5, "y": box["height"] * 0.3})
    first = page.locator("#units .bars button").first
    first.wait_for()
    channel = first.locator("span").inner_text().removeprefix("channel ")
    first.click()
    page.locator("#units .crops img").first.wait_for()
    at = parse_qs(page.url.partition("#")[2])["unit"][0]
    assert at.startswith(f"features.12:{channel}@")
    (path,) = interp("guided-backprop", "sample:cat-and-dog", "--unit", at, *SMALL, "-o", f"{tmp_path}/").paths
    assert shown_bytes(page, "#units .pair img") == path.read_bytes()
    page.get_by_role("button", name="Draw it").click()
    until(page, "() => Number(document.querySelector('#units .drawn img').dataset.frames) > 1")
    page.get_by_role("button", name="Stop").click()
    page.get_by_role("button", name="Draw it").wait_for()
    assert page.locator("#units .drawn img").get_attribute("src").startswith("data:image/webp")


def test_fool(opened, site, tmp_path):
    page = opened(f"tab=fool&attack=fgsm&picture={site.id('sample:koala')}&level=2")
    until(page, "() => document.querySelector('#fool .least')?.textContent")
    words = ("attack", "fgsm", "sample:koala", "--eps", "2lv", "--no-figure")
    (path,) = interp(*words, *SMALL, "-o", f"{tmp_path}/").paths
    assert shown_bytes(page, "[data-part=attacked] img") == path.read_bytes()
    assert page.locator("#fool .least").inner_text().startswith("Fools from ")
    until(page, "() => document.querySelector('[data-part=after] img')?.naturalWidth > 0")
    known = page.locator("#fool .levels .fools, #fool .levels .holds").count()
    page.locator("#fool input[type=range]").focus()
    page.keyboard.press("ArrowRight")
    until(page, "() => location.hash.includes('level=3')")
    until(page, "() => document.querySelector('#fool .said').textContent.includes('Linf 3/255')")
    assert page.locator("#fool .levels .fools, #fool .levels .holds").count() >= known


def test_play(opened, site, tmp_path):
    page = opened(f"tab=play&picture={site.id('sample:koala')}&octaves=1&steps=4")
    page.get_by_role("button", name="Begin").click()
    until(page, "() => document.querySelector('#play img')?.dataset.done")
    words = ("dream", "sample:koala", "--octaves", "1", "--steps", "4")
    (path,) = interp(*words, *SMALL, "-o", f"{tmp_path}/").paths
    assert shown_bytes(page, "#play img") == path.read_bytes()
    page.get_by_text("Paint", exact=True).click()
    page.get_by_role("button", name="Begin").click()
    until(page, "() => Number(document.querySelector('#play img')?.dataset.frames) > 0")
    page.get_by_role("button", name="Stop").click()


def test_keep(opened, site):
    page = opened(f"methods=gradcam&picture={site.id('sample:koala')}&class=indri")
    page.context.grant_permissions(["clipboard-read", "clipboard-write"])
    page.locator("[data-method=gradcam] .scale b").wait_for()
    page.get_by_role("button", name="Copy the command").click()
    page.get_by_role("button", name="Copied").wait_for()
    assert (
        page.evaluate("navigator.clipboard.readText()")
        == "interp gradcam sample:koala -c indri -m squeezenet1_1 --input-size 112"
    )
    page.get_by_role("button", name="Copy link").click()
    until(page, "() => document.querySelector('#status').textContent.includes('link')")
    again = opened(page.evaluate("navigator.clipboard.readText()").partition("#")[2])
    again.locator("[data-method=gradcam] .scale b").wait_for()
    assert again.locator("[data-method=gradcam] .scale b").inner_text().startswith("indri")
    assert again.locator("#look .bars button[aria-pressed=true]").count() == 1
    with page.expect_download() as saved:
        page.get_by_text("Save PNG").first.click()
    assert saved.value.suggested_filename == "koala_gradcam_indri.png"


@pytest.mark.slow
def test_the_report_is_saved(opened, site, tmp_path):
    page = opened(f"methods=gradcam&picture={site.id('sample:koala')}")
    with page.expect_download(timeout=10 * WAIT) as saved:
        page.get_by_role("button", name="Save the report").click()
    saved.value.save_as(tmp_path / "page.html")
    ran = interp("report", "sample:koala", "--methods", "gradcam", *SMALL, "-o", tmp_path / "command.html")
    assert ran.status == 0 and (tmp_path / "page.html").read_bytes() == (tmp_path / "command.html").read_bytes()


def test_a_dropped_photo_is_explained(opened, site, tmp_path):
    page = opened("methods=gradcam")
    page.locator("[data-method=gradcam] .scale b").wait_for()
    page.locator("#file").set_input_files(CAT)
    until(page, "() => document.querySelector('#look h2')?.textContent === 'cat.jpg'")
    until(page, "() => document.querySelector('[data-method=gradcam]:not(.stale):not([aria-busy]) img')?.complete")
    (tmp_path / "cat.jpg").write_bytes(CAT.read_bytes())
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path)
        (path,) = interp("gradcam", "cat.jpg", *SMALL).paths
        assert shown_bytes(page, "[data-method=gradcam] img") == path.read_bytes()


def test_nothing_is_wider_than_the_screen(opened, site):
    page = opened(f"methods=gradcam&picture={site.id('sample:koala')}")
    page.locator("[data-method=gradcam] .scale b").wait_for()
    for tab in ("look", "units", "fool", "play"):
        page.locator(f"#tab-{tab}").click()
        for width in (320, 800, 2560):
            page.set_viewport_size({"width": width, "height": 800})
            assert page.evaluate("document.documentElement.scrollWidth") <= width, (tab, width)
