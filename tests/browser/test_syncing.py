"""Syncing from a card and on the run's page: progress without reload, failures in words, and lost connections."""

import re

from playwright.sync_api import Route, expect
from sqlalchemy import text

from patchbay.models import transaction
from tests.browser.conftest import Visit
from tests.browser.visitor import RUN_ENDS_WITHIN_MS, Visitor

MEASURE_SYNCING = """
() => new Promise((resolve) => {
  const card = document.querySelector('#card-shopify'), begun = performance.now();
  new MutationObserver(() => {
    if (card.getAttribute('aria-busy') === 'true') resolve(performance.now() - begun);
  }).observe(card, { attributes: true });
  card.querySelector('#sync-shopify button').click();
})
"""
ANNOUNCED = """
() => {
  window.announced = [];
  const note = (changes) => changes.flatMap(({ addedNodes }) => [...addedNodes]).forEach((node) => {
    const text = node.querySelector?.('p')?.textContent;
    if (text) window.announced.push(text);
  });
  for (const region of document.querySelectorAll('#toasts, #alerts'))
    new MutationObserver(note).observe(region, { childList: true });
}
"""


def connected(visitor: Visitor, products: int = 3) -> Visitor:
    """With a shop of that many products, on the integrations page."""
    visitor.fill_shop(products)
    visitor.connect_shopify()
    visitor.open("/integrations")
    return visitor


def slowed(visitor: Visitor, seconds: float = 2.0) -> None:
    """The platform takes its time with each answer, until the test ends."""
    visitor.hub.sandbox.fault("shopify", "slow", times=0, seconds=seconds, match="products")


def open_run(visitor: Visitor) -> str:
    """Start a sync from the card; the run's path."""
    visitor.page.locator("#sync-shopify button").click()
    address = visitor.page.locator("#run-shopify").get_attribute("href")
    assert address
    return address


def test_15_sync_shows_at_once_and_ends_without_reload(visitor: Visitor) -> None:
    page = connected(visitor, 600).page
    slowed(visitor)
    page.evaluate("window.notReloaded = true")

    page.locator("#sync-shopify button").click()

    expect(visitor.card("shopify")).to_have_attribute("aria-busy", "true")
    expect(visitor.card("shopify").locator(".badge").first).to_contain_text("Syncing")
    expect(page.locator("#sync-shopify")).to_have_count(0)
    visitor.sync_ends()
    expect(page.locator("#toasts")).to_contain_text("Shopify is synced: 600 items.")
    assert page.evaluate("window.notReloaded")
    assert visitor.falls_silent(for_ms=10_000)


def test_15_the_card_answers_a_click_within_200_ms(visitor: Visitor) -> None:
    page = connected(visitor).page
    took_ms = []

    for _ in range(3):
        took_ms.append(page.evaluate(MEASURE_SYNCING))
        visitor.sync_ends()

    assert min(took_ms) < 200, took_ms  # the best of three, since the machine may do other things


def test_16_a_double_click_makes_one_run(visitor: Visitor) -> None:
    page = connected(visitor, 300).page
    slowed(visitor)

    page.locator("#sync-shopify button").dblclick()
    expect(visitor.card("shopify")).to_have_attribute("aria-busy", "true")
    visitor.open("/runs")

    expect(page.locator("#run-rows tr[id^=run-]")).to_have_count(1)


def test_17_a_failed_sync_says_why_and_offers_the_next_step(visitor: Visitor) -> None:
    page = connected(visitor).page
    visitor.hub.sandbox.fault("shopify", "malformed", times=0)
    run = open_run(visitor)

    expect(visitor.card("shopify").locator(".badge").first).to_have_text("Last sync failed", timeout=60_000)
    expect(page.locator("#alerts")).to_contain_text("The sync with Shopify failed.")
    reason = visitor.card("shopify").locator(".reason").inner_text()
    expect(visitor.card("shopify").get_by_role("button", name="Try again Shopify")).to_be_visible()
    visitor.card("shopify").get_by_role("link", name="View run Shopify").click()

    page.wait_for_url(f"**{run}")
    problem = page.locator(".problem")
    expect(problem.get_by_role("heading")).to_have_text("Shopify reported a problem")
    assert reason in problem.inner_text()
    expect(page.get_by_role("button", name="Try again")).to_be_visible()
    problem.locator("summary").click()
    expect(problem.get_by_text("API_ERROR")).to_be_visible()
    visitor.hub.sandbox.clear_faults("shopify")
    page.get_by_role("button", name="Try again").click()
    visitor.run_ends()


def test_18_a_rate_limit_says_when_it_goes_on(visitor: Visitor) -> None:
    page = connected(visitor).page
    visitor.hub.sandbox.fault("shopify", "rate_limit", times=0, seconds=30)

    page.locator("#sync-shopify button").click()

    badge = visitor.card("shopify").locator(".badge").first
    expect(badge).to_have_text(re.compile(r"Paused until \d{1,2}:\d{2}"), timeout=RUN_ENDS_WITHIN_MS)
    expect(visitor.card("shopify").get_by_role("link", name="View run")).to_be_visible()


def test_19_the_run_page_adds_lines_as_they_come_without_repeats(visitor: Visitor) -> None:
    page = connected(visitor, 1000).page
    slowed(visitor)
    visitor.open(open_run(visitor))
    begun_with = page.locator("#log li").count()

    visitor.run_ends()

    expect(page.locator("#log li").last).to_contain_text("Finished.")
    ids = page.locator("#log li").evaluate_all("(lines) => lines.map((line) => line.id)")
    assert len(ids) > begun_with
    assert len(ids) == len(set(ids))
    live = page.locator("#log li").all_inner_texts()
    page.reload()
    expect(page.locator("#log li")).to_have_count(len(live))


def test_19_a_dropped_stream_goes_on_where_it_was(visitor: Visitor) -> None:
    dropped: list[str] = []

    def drop(route: Route) -> None:
        """Let the first stream carry a line and end."""
        if dropped:
            route.continue_()
            return
        dropped.append(route.request.url)
        answer = 'id: 1\ndata: <li id="line-of-the-test">a line</li>\n\n'
        route.fulfill(status=200, content_type="text/event-stream", body=answer)

    page = connected(visitor, 1000).page
    slowed(visitor)
    page.route("**/events?**", drop)
    visitor.open(open_run(visitor))

    visitor.run_ends()

    expect(page.locator("#line-of-the-test")).to_have_count(1)
    expect(page.locator("#log li").last).to_contain_text("Finished.")
    ids = page.locator("#log li").evaluate_all("(lines) => lines.map((line) => line.id)")
    assert len(ids) == len(set(ids))
    assert visitor.falls_silent(for_ms=4_000)


def test_19_without_a_stream_the_log_polls(visitor: Visitor) -> None:
    page = connected(visitor, 1000).page
    slowed(visitor)
    page.route(
        re.compile(r"/events\?(?!.*poll=1)"),
        lambda route: route.continue_(url=f"{route.request.url}&poll=1"),
    )
    visitor.open(open_run(visitor))

    visitor.run_ends()

    expect(page.locator("#log li").last).to_contain_text("Finished.")
    expect(page.locator("#log-poll")).to_have_count(0)
    ids = page.locator("#log li[id^=line]").evaluate_all("(lines) => lines.map((line) => line.id)")
    assert len(ids) == len(set(ids))


def test_19_the_log_can_be_paused_and_a_run_be_cancelled(visitor: Visitor) -> None:
    page = connected(visitor, 2000).page
    slowed(visitor)
    visitor.open(open_run(visitor))

    page.get_by_role("link", name="Pause").click()
    expect(page.get_by_role("link", name="Resume")).to_be_visible()
    page.get_by_role("button", name="Cancel run").click()

    visitor.run_ends("Cancelled")
    expect(page.get_by_role("button", name="Try again")).to_be_visible()


def test_23_a_crash_leaves_the_page_as_it_was_and_tells(visitor: Visitor) -> None:
    page = connected(visitor).page
    before = visitor.card("shopify").inner_text()
    assert visitor.person
    with visitor.hub.app.app_context(), transaction() as session:
        session.execute(
            text("UPDATE user_integrations SET scopes = '{' WHERE user_id = :user"), {"user": visitor.person.user_id}
        )
    visitor.watch.expected = {500}

    page.locator("#sync-shopify button").click()

    expect(page.locator("#alerts")).to_contain_text("Something went wrong here.")
    assert visitor.card("shopify").inner_text() == before
    expect(page.locator("#sync-shopify button")).to_be_enabled()


def test_24_without_the_server_an_alert_says_so_and_the_button_works_again(visitor: Visitor) -> None:
    page = connected(visitor).page
    visitor.watch.is_offline_expected = True
    page.route("**/sync", lambda route: route.abort("connectionrefused"))

    page.locator("#sync-shopify button").click()

    alert = page.locator("#alerts")
    expect(alert).to_contain_text("Network error We could not reach Patchbay. Check your connection and try again.")
    expect(page.locator("#sync-shopify button")).to_be_enabled()
    alert.get_by_role("button", name="Dismiss").click()
    expect(alert).to_be_empty()
    page.unroute("**/sync")
    page.locator("#sync-shopify button").click()
    visitor.sync_ends()


def test_25_an_ended_session_leads_to_the_login_and_back(visitor: Visitor) -> None:
    page = connected(visitor).page
    visitor.open("/integrations?category=ecommerce")
    visitor.context.clear_cookies()
    visitor.watch.expected = {401, 403}

    page.locator("#disconnect-shopify").click()

    page.wait_for_url("**/login?next=**")
    page.get_by_role("button", name="Continue as the demo user").click()
    page.wait_for_url("**/integrations?category=ecommerce")


def test_40_begin_and_end_of_a_sync_are_announced_once(visitor: Visitor) -> None:
    page = connected(visitor, 1000).page
    slowed(visitor)
    page.evaluate(ANNOUNCED)

    page.locator("#sync-shopify button").click()
    visitor.sync_ends()
    page.wait_for_timeout(3_000)

    assert page.evaluate("window.announced") == [
        "The sync with Shopify has begun.",
        "Shopify is synced: 1,000 items.",
    ]
    assert page.locator("article :is([role=status], [role=alert], [aria-live])").count() == 0


def test_39_nobody_sees_what_belongs_to_somebody_else(visit: Visit) -> None:
    owner, other = visit(), visit()
    connected(owner)
    run = open_run(owner)
    owner.sync_ends()
    owner.open("/records")
    record = owner.page.locator("#record-rows a").first.get_attribute("href")
    owner.make_mockup()
    mockup = owner.path()
    other.watch.expected = {404}

    for path in (run, f"{run}/card", f"{run}/events", record, mockup, f"{mockup}/publish"):
        answer = other.context.request.get(f"{other.hub.url}{path}")
        assert answer.status == 404, path
    for path in ("/integrations", "/records", "/runs", "/mockups"):
        page = other.open(path)
        assert owner.shop not in page.content()
