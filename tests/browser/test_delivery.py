"""What goes over the wire: headers, caches, sizes, shifts, forged requests, and lists that grow page by page."""

import re
from typing import Any

from playwright.sync_api import Route, expect

from tests.browser.conftest import Visit
from tests.browser.visitor import Visitor

FIRST_VISIT_BYTES, REPEAT_VISIT_BYTES = 60_000, 15_000
SHIFTS = """
new PerformanceObserver((list) => {
  for (const { value, hadRecentInput } of list.getEntries())
    if (!hadRecentInput) window.shifted = (window.shifted || 0) + value;
}).observe({ type: 'layout-shift', buffered: true });
"""


def test_27_every_page_carries_the_headers(visitor: Visitor) -> None:
    paths = (
        "/",
        "/login",
        "/integrations",
        "/integrations/shopify",
        "/mockups",
        "/records",
        "/runs",
        "/account",
        "/keys",
    )

    for path in paths:
        headers = visitor.context.request.get(f"{visitor.hub.url}{path}").headers
        assert "default-src 'none'" in headers["content-security-policy"], path
        assert headers["cache-control"] in {"private, no-cache", "no-store"}, path
        assert {"hx-request", "hx-request-type", "cookie"} <= set(re.split(r",\s*", headers["vary"].lower())), path
        visitor.open(path)


def test_28_posts_without_the_token_or_from_elsewhere_are_refused(visitor: Visitor) -> None:
    visitor.connect_shopify()
    page = visitor.open("/integrations")
    token = page.locator("meta[name=csrf-token]").get_attribute("content") or ""
    address = f"{visitor.hub.url}/integrations/shopify/disconnect"
    request = visitor.context.request

    bare = request.post(address, form={})
    foreign = request.post(address, form={"csrf_token": token}, headers={"Sec-Fetch-Site": "cross-site"})
    other_origin = request.post(address, form={"csrf_token": token}, headers={"Origin": "http://evil.example"})

    assert [bare.status, foreign.status, other_origin.status] == [403, 403, 403]
    page.reload()
    expect(visitor.card("shopify").locator(".badge").first).to_have_text("Connected")


def test_28_a_form_on_another_site_does_nothing(visitor: Visitor) -> None:
    visitor.connect_shopify()
    visitor.watch.expected = {401, 403}
    form = f'<form method="post" action="{visitor.hub.url}/integrations/shopify/disconnect"><button>Go</button></form>'
    visitor.page.route("http://evil.test/**", lambda route: route.fulfill(content_type="text/html", body=form))
    visitor.page.goto("http://evil.test/")

    visitor.page.get_by_role("button", name="Go").click()
    visitor.page.wait_for_url(f"{visitor.hub.url}/**")

    visitor.open("/integrations")
    expect(visitor.card("shopify").locator(".badge").first).to_have_text("Connected")


def test_31_load_more_adds_rows_none_twice_and_focuses_the_first_new_one(visitor: Visitor) -> None:
    visitor.fill_shop(120)
    visitor.connect_shopify()
    visitor.sync()
    page = visitor.open("/records")
    rows = page.locator("#record-rows tr[id^=record-]")
    expect(rows).to_have_count(50)

    page.get_by_role("link", name="Load more").click()
    expect(rows).to_have_count(100)
    expect(rows.nth(50).get_by_role("link")).to_be_focused()
    page.get_by_role("link", name="Load more").click()
    expect(rows).to_have_count(120)

    ids = rows.evaluate_all("(rows) => rows.map((row) => row.id)")
    assert len(set(ids)) == 120
    expect(page.get_by_role("link", name="Load more")).to_have_count(0)


def test_31_load_more_is_a_link_without_javascript(visit: Visit) -> None:
    visitor = visit(javascript=False)
    visitor.fill_shop(60)
    visitor.connect_shopify()
    visitor.sync()
    page = visitor.open("/records")
    first = set(page.locator("#record-rows tr[id^=record-]").evaluate_all("(rows) => rows.map((row) => row.id)"))

    page.get_by_role("link", name="Load more").click()
    page.wait_for_url("**cursor=*")

    second = set(page.locator("#record-rows tr[id^=record-]").evaluate_all("(rows) => rows.map((row) => row.id)"))
    assert (len(first), len(second), first & second) == (50, 10, set())


def received(visitor: Visitor, path: str) -> list[dict[str, Any]]:
    """Bytes over the wire of each answer until the page has settled, by the browser's own network log."""
    session = visitor.context.new_cdp_session(visitor.page)
    session.send("Network.enable")
    sizes: list[dict[str, Any]] = []
    session.on("Network.loadingFinished", lambda event: sizes.append(event))  # noqa: PLW0108 - as everywhere here
    visitor.open(path)
    visitor.page.wait_for_load_state("networkidle")
    session.detach()
    return [size for size in sizes if size["encodedDataLength"] > 0]


def test_37_a_first_visit_is_small_and_a_second_one_smaller(visitor: Visitor) -> None:
    first = received(visitor, "/integrations")
    again = received(visitor, "/integrations")

    assert sum(size["encodedDataLength"] for size in first) <= FIRST_VISIT_BYTES
    assert sum(size["encodedDataLength"] for size in again) <= REPEAT_VISIT_BYTES


def test_37_late_logos_shift_nothing(visitor: Visitor) -> None:
    held: list[Route] = []
    visitor.context.add_init_script(SHIFTS)
    visitor.page.route("**/logos*.svg", lambda route: held.append(route))  # noqa: PLW0108 - as everywhere here

    page = visitor.page
    page.goto(f"{visitor.hub.url}/integrations", wait_until="domcontentloaded")
    visitor.wait_until(lambda: held)
    for route in held:
        route.continue_()
    page.wait_for_timeout(500)

    assert (page.evaluate("window.shifted") or 0) < 0.02


def test_38_static_addresses_carry_their_content_and_are_kept_for_good(visitor: Visitor) -> None:
    page = visitor.open("/runs")
    addresses = page.evaluate("performance.getEntriesByType('resource').map((entry) => entry.name)")
    static = [address for address in addresses if "/static/" in address]

    assert len(static) >= 5
    for address in static:
        assert re.search(r"\.[0-9a-f]{8}\.[a-z]+(\.[a-z]+)?(#.*)?$", address), address
        headers = visitor.context.request.get(address).headers
        assert headers["cache-control"] == "public, max-age=31536000, immutable"
