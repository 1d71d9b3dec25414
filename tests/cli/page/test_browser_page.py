"""The page in a browser: clicked through with a bundled network, without a complaint or a request to elsewhere."""

import pytest

from tests.browsers import browser  # noqa: F401  (a fixture)
from tests.cli.page.site import served
from tests.command import SQUEEZE, interp

WAIT = 60_000  # milliseconds


@pytest.fixture(scope="module")
def site(tmp_path_factory):
    with pytest.MonkeyPatch.context() as patch:
        patch.chdir(tmp_path_factory.mktemp("page"))
        patch.setenv("XDG_CACHE_HOME", str(tmp_path_factory.mktemp("cache")))
        with served(patch, "sample:cat-and-dog", "sample:koala", *SQUEEZE, "--threads", "1") as found:
            yield found


@pytest.fixture
def opened(browser, site):  # noqa: F811
    """Opens the page at a state; in the end there must be nothing to complain about."""
    complaints, requests, contexts = [], [], []

    def open_page(state="", width=1200, **asked):
        context = browser.new_context(viewport={"width": width, "height": 800}, **asked)
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


def shown_bytes(page, selector: str) -> bytes:
    """The file behind a picture that is shown."""
    page.wait_for_function("at => document.querySelector(at)?.naturalWidth > 0", arg=selector)
    found = page.evaluate(
        "async at => [...new Uint8Array(await (await fetch(document.querySelector(at).src)).arrayBuffer())]", selector
    )
    return bytes(found)


def test_look(opened, site, tmp_path):
    page = opened(f"methods=gradcam,saliency&picture={site.id('sample:cat-and-dog')}")
    page.locator("#look .bars button").first.wait_for()
    assert page.locator("#look .map img").count() == 2
    (top,) = interp("gradcam", "sample:cat-and-dog", *SQUEEZE, "-o", f"{tmp_path}/").paths
    assert shown_bytes(page, "[data-method=gradcam] img") == top.read_bytes()
    page.locator("#look .bars button").nth(1).click()
    named = page.locator("#look .bars button").nth(1).locator("span").inner_text()
    page.wait_for_function(
        "name => document.querySelector('[data-method=gradcam] .scale b')?.textContent.startsWith(name)", arg=named
    )
    assert "class=" in page.url
    (second,) = interp("gradcam", "sample:cat-and-dog", "-c", named, *SQUEEZE, "-o", f"{tmp_path}/").paths
    assert shown_bytes(page, "[data-method=gradcam] img") == second.read_bytes()
    page.locator("#look .map .frame").first.hover(position={"x": 90, "y": 90})
    page.wait_for_function("() => [...document.querySelectorAll('#look .map .value')].every(one => one.textContent)")
    page.go_back()
    page.wait_for_function("() => !location.hash.includes('class=')")


def test_look_by_keys(opened, site):
    page = opened(f"methods=gradcam&picture={site.id('sample:koala')}", reduced_motion="reduce", color_scheme="dark")
    page.locator("[data-method=gradcam] .scale b").wait_for()
    page.locator("[data-method=gradcam] .frame").focus()
    page.keyboard.press("ArrowRight")
    page.wait_for_function("() => document.querySelector('[data-method=gradcam] .value').textContent !== ''")
    page.locator("#tab-look").focus()
    page.keyboard.press("ArrowRight")
    assert page.locator("#tab-units").get_attribute("aria-selected") == "true" and "tab=units" in page.url


@pytest.mark.parametrize("width", [320, 800, 2560])
def test_nothing_is_wider_than_the_screen(opened, site, width):
    page = opened(f"methods=gradcam&picture={site.id('sample:koala')}", width)
    page.locator("[data-method=gradcam] .scale b").wait_for()
    assert page.evaluate("document.documentElement.scrollWidth") <= width
