"""axe on every page in every state, and what axe cannot see: focus, keys, contrast, reflow, motion, themes."""

import re
from collections.abc import Callable
from typing import Any

import pytest
from axe_playwright_python.base import AXE_FILE_PATH
from playwright.sync_api import Page, expect

from tests.browser import states
from tests.browser.conftest import Visit
from tests.browser.states import Look
from tests.browser.visitor import Visitor

RULES = ["wcag2a", "wcag2aa", "wcag21a", "wcag21aa", "wcag22aa", "best-practice"]
WALKS: dict[str, Callable[[Visitor, Look], None]] = {
    "stranger": states.of_a_stranger,
    "newcomer": states.of_a_newcomer,
    "connected": states.of_somebody_connected,
    "at work": states.of_somebody_at_work,
    "administrator": states.of_an_administrator,
}
# Every width with every theme once, beside 1280 px in the light one, which is looked at first.
OTHER_LOOKS = [(320, "dark"), (360, "light"), (768, "dark"), (1440, "light"), (1280, "dark")]
EXPECTED = {400, 401, 403, 404, 409, 422}
SIDEWAYS = "document.documentElement.scrollWidth - document.documentElement.clientWidth"
SMALL_TARGETS = """
() => [...document.querySelectorAll('a, button, input, select, summary, textarea')].flatMap((one) => {
  const isSeen = one.checkVisibility({ visibilityProperty: true }) && !one.closest('.unseen, .skip');
  if (!isSeen || one.matches('p a, dd a, li > a:only-child, [type=hidden]')) return [];
  const target = (one.matches('[type=radio], [type=checkbox]') && one.closest('label')) || one;
  const { width, height } = target.getBoundingClientRect();
  return width < 24 || height < 24 ? [`${one.outerHTML.slice(0, 120)} ${width}x${height}`] : [];
})
"""
CONTRASTS = [
    ("--text", "--surface", 4.5), ("--text", "--bg", 4.5), ("--text", "--sunken", 4.5), ("--muted", "--surface", 4.5),
    ("--muted", "--bg", 4.5), ("--muted", "--sunken", 4.5), ("--accent", "--surface", 4.5), ("--accent", "--bg", 4.5),
    ("--on-accent", "--accent", 4.5), ("--on-accent", "--accent-hover", 4.5), ("--ok", "--ok-bg", 4.5),
    ("--warn", "--warn-bg", 4.5), ("--err", "--err-bg", 4.5), ("--err", "--surface", 4.5), ("--info", "--info-bg", 4.5),
    ("--soon", "--soon-bg", 4.5), ("--control", "--surface", 3.0), ("--surface", "--err", 4.5),
]  # fmt: skip
COLOUR = """
(name) => {
  const probe = document.body.appendChild(document.createElement('i'));
  probe.className = 'probe';
  const sheet = new CSSStyleSheet();
  sheet.replaceSync(`.probe { color: var(${name}) }`);
  document.adoptedStyleSheets = [...document.adoptedStyleSheets, sheet];
  const found = getComputedStyle(probe).color.match(/[0-9.]+/g).map(Number);
  probe.remove();
  return found;
}
"""
FOCUS = """
() => {
  const one = document.activeElement, box = one.getBoundingClientRect(), look = getComputedStyle(one);
  const spot = [box.left + Math.min(box.width / 2, 20), box.top + box.height / 2];
  const hit = document.elementFromPoint(...spot);
  return {
    name: `${one.tagName} ${one.id || one.textContent.trim().slice(0, 40)}`, isBody: one === document.body,
    isOutlined: look.outlineStyle !== 'none' && parseFloat(look.outlineWidth) >= 2,
    isUncovered: !hit || one.contains(hit) || hit.contains(one) || one.closest('label')?.contains(hit),
  };
}
"""


def check(page: Page) -> list[str]:
    """What axe finds, as a line for each element. To tell what is well, too, would take it most of its time."""
    if not page.evaluate("'axe' in window"):
        page.evaluate(AXE_FILE_PATH.read_text("utf-8"))
    options = {"runOnly": {"type": "tag", "values": RULES}, "resultTypes": ["violations"]}
    violations: list[dict[str, Any]] = page.evaluate(
        "(options) => axe.run(options).then((all) => all.violations)", options
    )
    return [f"{one['id']}: {node['html'][:160]}" for one in violations for node in one["nodes"]]


@pytest.mark.parametrize("walk", WALKS)
def test_32_34_axe_finds_nothing_and_nothing_is_wider_than_the_page(visit: Visit, walk: str) -> None:
    visitor = visit(is_stranger=walk == "stranger", is_admin=walk == "administrator", reduced_motion="reduce")
    visitor.watch.expected = EXPECTED
    found: dict[str, list[str]] = {}
    turns = 0

    def look(state: str) -> None:
        nonlocal turns
        page = visitor.page
        problems = check(page)
        width, theme = OTHER_LOOKS[turns % len(OTHER_LOOKS)]
        turns += 1
        page.set_viewport_size({"width": width, "height": 900})
        page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
        problems += [f"{width} {theme} {line}" for line in check(page)]
        page.set_viewport_size({"width": 320, "height": 900})
        if page.evaluate(SIDEWAYS) > 0:
            problems.append("320 px: scrolls sideways")
        problems += [f"small target: {line}" for line in page.evaluate(SMALL_TARGETS)]
        page.set_viewport_size({"width": 1280, "height": 900})
        page.emulate_media(color_scheme="light")
        if problems:
            found[state] = problems

    WALKS[walk](visitor, look)

    told = "\n".join(f"{state}: {line}" for state, lines in found.items() for line in lines)
    assert not found, told


def tab_to(page: Page, selector: str) -> None:
    """Press Tab until the element has the focus; every stop on the way must be visible, outlined and uncovered."""
    for _ in range(80):
        page.keyboard.press("Tab")
        seen = page.evaluate(FOCUS)
        if not seen["isBody"]:
            assert seen["isOutlined"], f"{seen['name']} does not show its focus"
            assert seen["isUncovered"], f"{seen['name']} is covered"
        if page.evaluate("(selector) => document.activeElement.matches(selector)", selector):
            return
    raise AssertionError(f"Tab never came to {selector}")


def test_33_the_whole_job_by_keyboard(visitor: Visitor) -> None:
    page, press = visitor.page, visitor.page.keyboard.press
    visitor.fill_shop(2)
    visitor.open("/integrations")
    tab_to(page, ".skip")
    press("Enter")
    expect(page.locator("main")).to_be_focused()
    tab_to(page, "#connect-shopify")
    press("Enter")
    expect(page.get_by_label("Your store")).to_be_focused()
    page.keyboard.type(visitor.shop)
    press("Enter")
    page.get_by_role("button", name="Allow").focus()
    press("Enter")
    expect(page.get_by_text("Shopify is connected as")).to_be_visible()

    visitor.open("/integrations")
    tab_to(page, "#sync-shopify button")
    press("Enter")
    visitor.sync_ends()
    visitor.upload()
    tab_to(page, "input[name=templateId]")
    press("ArrowRight")
    tab_to(page, "form.gap button")
    press("Enter")
    expect(page.locator("img.picture")).to_be_visible()
    tab_to(page, "#assets-publish")
    press("Enter")
    expect(page.get_by_role("dialog")).to_be_visible()
    tab_to(page, "dialog input[type=radio]")
    press("Space")
    tab_to(page, "dialog button:not(.quiet)")
    press("Enter")
    page.wait_for_url("**/runs/*")
    visitor.run_ends()

    visitor.open("/integrations")
    tab_to(page, "#disconnect-shopify")
    press("Enter")
    expect(page.get_by_role("dialog", name="Disconnect Shopify")).to_be_visible()
    tab_to(page, "dialog button.danger")
    press("Enter")
    expect(page.locator("#connect-shopify")).to_be_focused()


def test_34_four_hundred_percent_zoom_keeps_everything_in_the_page(visitor: Visitor) -> None:
    visitor.connect_shopify()
    visitor.page.set_viewport_size({"width": 320, "height": 256})

    for path in ("/integrations", "/integrations/shopify", "/mockups", "/account"):
        page = visitor.open(path)
        assert page.evaluate(SIDEWAYS) <= 0, path
        tab_to(page, "main a, main button, main input, main summary")


@pytest.mark.parametrize("theme", ["light", "dark"])
def test_35_every_pair_of_colours_has_its_contrast(visitor: Visitor, theme: str) -> None:
    visitor.page.emulate_media(color_scheme="dark" if theme == "dark" else "light")
    page = visitor.open("/integrations")

    def luminance(name: str) -> float:
        parts = [channel / 255 for channel in page.evaluate(COLOUR, name)[:3]]
        red, green, blue = (part / 12.92 if part <= 0.04045 else ((part + 0.055) / 1.055) ** 2.4 for part in parts)
        return float(0.2126 * red + 0.7152 * green + 0.0722 * blue)

    ratios = {}
    for front, back, least in CONTRASTS:
        darker, lighter = sorted((luminance(front), luminance(back)))
        ratios[front, back] = (lighter + 0.05) / (darker + 0.05) / least

    assert {pair: ratio for pair, ratio in ratios.items() if ratio < 1} == {}


def test_35_the_chosen_theme_is_in_the_page_itself_so_nothing_flashes(visitor: Visitor) -> None:
    page = visitor.open("/account")
    light = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")
    page.get_by_label("Dark").check()
    page.locator("section[aria-labelledby=look-title]").get_by_role("button", name="Save").click()
    expect(page.locator("html")).to_have_attribute("data-theme", "dark")
    chosen = page.evaluate("getComputedStyle(document.documentElement).backgroundColor")

    raw = visitor.context.request.get(f"{visitor.hub.url}/integrations").text()
    page.get_by_label("As the system").check()
    page.locator("section[aria-labelledby=look-title]").get_by_role("button", name="Save").click()
    page.emulate_media(color_scheme="dark")

    assert re.search(r"<html[^>]* data-theme=\"dark\"", raw)
    assert chosen != light
    expect(page.locator("html")).not_to_have_attribute("data-theme", re.compile("."))
    assert page.evaluate("getComputedStyle(document.documentElement).backgroundColor") == chosen


def test_36_with_reduced_motion_nothing_moves(visit: Visit) -> None:
    moving, still = visit(), visit(reduced_motion="reduce")
    running = []

    for visitor in (moving, still):
        visitor.fill_shop(300)
        visitor.connect_shopify()
        visitor.hub.sandbox.fault("shopify", "slow", times=0, seconds=2)
        visitor.open("/integrations")
        visitor.page.locator("#sync-shopify button").click()
        expect(visitor.card("shopify")).to_have_attribute("aria-busy", "true")
        running.append(visitor.page.evaluate("document.getAnimations().length"))

    assert running[0] > 0
    assert running[1] == 0
