"""The page in a real browser: it unfolds, draws, and leads from a verdict to its evidence, wide and narrow, light and dark."""

import os
import shutil
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
from axe_playwright_python.async_playwright import Axe
from playwright.async_api import Browser, Page, ViewportSize, async_playwright

from harness.model import events as ev
from harness.report import html, journal
from tests.fakes.world import World, play

CHROMIUM = os.environ.get("GAMEDAY_CHROMIUM") or shutil.which("chromium") or shutil.which("chromium-browser")

pytestmark = [
    pytest.mark.browser,
    pytest.mark.skipif(not CHROMIUM, reason="no Chromium: apt-get install chromium, or name one with GAMEDAY_CHROMIUM"),
]

WIDE: ViewportSize = {"width": 1280, "height": 900}
NARROW: ViewportSize = {"width": 380, "height": 800}


@pytest.fixture
async def browser() -> AsyncIterator[Browser]:
    async with async_playwright() as playwright:
        # As root, as containers of CI services are, Chromium has no sandbox.
        args = ["--no-sandbox"] if os.geteuid() == 0 else []
        browser = await playwright.chromium.launch(executable_path=CHROMIUM, args=args)
        yield browser
        await browser.close()


@pytest.fixture
async def address(tmp_path: Path) -> str:
    """A run with a proven and a refuted scenario, and one that tries to harm the reader."""
    events: list[ev.Event] = [
        ev.RunStarted(0.0, None, "r1", "2026-01-01T00:00:00+00:00", 1, "process", "ci", "timeline", [])
    ]
    evil = "<img src=x onerror=\"document.title='harmed'\"></script><script>document.title='harmed'</script>"
    for label, world in (("FM-X-01", World()), ("FM-X-02", World(response_works=False)), ("FM-X-03", World())):
        _, found = await play(world)
        for event in found:
            fields = vars(event) | {"scenario": label}
            if label == "FM-X-03" and isinstance(event, ev.ScenarioStarted):
                fields["title"] = evil
            events.append(type(event)(**fields))
    (tmp_path / journal.JOURNAL).write_text("".join(ev.to_line(e) + "\n" for e in events))
    (tmp_path / "report.html").write_bytes(html.render(tmp_path))
    return (tmp_path / "report.html").as_uri()


async def opened(browser: Browser, address: str, size: ViewportSize, scheme: str) -> tuple[Page, list[str]]:
    context = await browser.new_context(
        viewport=size, color_scheme="dark" if scheme == "dark" else "light", offline=True, reduced_motion="reduce"
    )
    page = await context.new_page()
    trouble: list[str] = []
    page.on("pageerror", lambda error: trouble.append(str(error)))
    page.on(
        "request",
        lambda asked: trouble.append(asked.url) if not asked.url.startswith(("file:", "data:", "blob:")) else None,
    )
    await page.goto(address)
    return page, trouble


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_a_scenario_unfolds_and_its_plots_are_drawn(
    browser: Browser, address: str, size: ViewportSize, scheme: str
) -> None:
    page, trouble = await opened(browser, address, size, scheme)
    assert await page.locator(".evidence").count() == 0, "nothing is unfolded before anybody asks"
    await page.locator("#s1 > summary").click()
    plot = page.locator("#s1 .plot[data-plot=judged]")
    await plot.scroll_into_view_if_needed()
    await page.locator("#s1 .plot[data-drawn] .main-svg").first.wait_for()
    assert await plot.locator(".scatterlayer path.js-line").count() >= 1
    assert await plot.locator(".shapelayer path").count() >= 3, "fault, hold and response are shaded"
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "no sideways scrolling"
    dark = await page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    assert (dark == "rgb(20, 21, 23)") is (scheme == "dark")
    assert trouble == []


async def test_a_verdict_leads_to_its_evidence_its_samples_and_back(browser: Browser, address: str) -> None:
    page, trouble = await opened(browser, address, WIDE, "light")
    await page.locator(".first a").click()
    await page.locator("#s2-verdict .findings a").first.click()
    hit = page.locator("article.hit")
    await hit.wait_for()
    assert "recovery" in await hit.locator("h5").inner_text()
    assert await page.evaluate("document.activeElement === document.querySelector('article.hit')")
    await hit.locator(".samples-of > summary").click()
    rows = hit.locator(".samples tbody tr")
    await rows.first.wait_for()
    assert await rows.count() > 3
    assert "✗" in await hit.locator(".samples").inner_text()
    await hit.locator(".links a").first.click()
    await page.wait_for_function("document.activeElement.id === 's2-verdict'")
    assert trouble == []


async def test_an_address_with_an_anchor_opens_what_it_names(browser: Browser, address: str) -> None:
    page, _ = await opened(browser, f"{address}#s2-e1", WIDE, "light")
    await page.locator("#s2-e1.hit").wait_for()


async def test_the_keyboard_alone_is_enough(browser: Browser, address: str) -> None:
    page, _ = await opened(browser, address, WIDE, "light")
    await page.keyboard.press("Tab")
    assert await page.evaluate("document.activeElement.className") == "skip"
    await page.locator("#s1 > summary").focus()
    await page.keyboard.press("Enter")
    await page.locator("#s1-verdict").wait_for()


async def test_the_list_can_be_filtered(browser: Browser, address: str) -> None:
    page, _ = await opened(browser, address, WIDE, "light")
    await page.locator("button[data-claim=REFUTED]").click()
    assert await page.locator("details.scenario:visible").count() == 1
    assert await page.locator("button[data-claim=REFUTED]").get_attribute("aria-pressed") == "true"


async def test_what_a_title_holds_is_never_run(browser: Browser, address: str) -> None:
    page, trouble = await opened(browser, address, WIDE, "light")
    await page.locator("#s3 > summary").click()
    await page.locator("#s3-verdict").wait_for()
    assert await page.title() != "harmed"
    assert await page.locator("#s3 img").count() == 0
    assert trouble == []


async def test_what_is_printed_has_its_plots_though_nobody_scrolled_to_them_as_wide_as_a_sheet(
    browser: Browser, address: str
) -> None:
    page, trouble = await opened(browser, address, WIDE, "dark")
    await page.evaluate("document.querySelector('#s1').open = true")
    await page.locator("#s1 .plot[data-plot=judged][data-drawn]").wait_for(state="attached")
    await page.evaluate("dispatchEvent(new Event('beforeprint'))")
    await page.emulate_media(media="print")
    await page.set_viewport_size({"width": 720, "height": 900})
    assert await page.evaluate("document.documentElement.scrollWidth <= innerWidth"), "nothing is cut off on the sheet"
    assert await page.evaluate("document.querySelector('#s1 .main-svg').getBoundingClientRect().width") <= 680
    assert trouble == []


@pytest.mark.parametrize("size", [WIDE, NARROW], ids=["wide", "narrow"])
@pytest.mark.parametrize("scheme", ["light", "dark"])
async def test_nothing_stands_in_the_way_of_a_screen_reader(
    browser: Browser, address: str, size: ViewportSize, scheme: str
) -> None:
    page, _ = await opened(browser, address, size, scheme)
    await page.locator("#s1 > summary").click()
    await page.locator("#s1 .plot[data-plot=judged]").scroll_into_view_if_needed()
    await page.locator("#s1 .plot[data-drawn] .main-svg").first.wait_for()
    for more in await page.locator("#s1 details > summary").all():
        await more.click()
    found = await Axe().run(page)
    assert [(v["id"], v["help"], [n["html"] for n in v["nodes"][:3]]) for v in found.response["violations"]] == []
