"""What a platform had to pick from when it last answered: kept once, found again, and forgotten with the connection."""

from dataclasses import replace

import pytest
from sqlalchemy import func, select

from patchbay import connections
from patchbay.connections import offers
from patchbay.models import Connection, KnownChoices, User, db, fresh_view, transaction
from patchbay.spec import Pick
from tests.stage import FrozenClock, Sandbox, Walker

pytestmark = pytest.mark.usefixtures("context")

PRODUCTS = Pick("get_products", "products", label="title", picture="images", search="search")


@pytest.fixture
def shop(ada: User, connect: Walker) -> Connection:
    """Ada's shop, which has twelve products."""
    return connect(ada, "shopify", shop="demo-shop")


def kept() -> int:
    fresh_view()
    return db.session.scalar(select(func.count()).select_from(KnownChoices)) or 0


def test_a_list_is_known_as_it_was_when_the_platform_last_answered(
    shop: Connection, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    first = connections.offer(shop, PRODUCTS)
    at = frozen_clock.now()
    frozen_clock.advance(hours=1)

    known = connections.known(shop, PRODUCTS)
    searched = connections.known(shop, PRODUCTS, search="mug")

    assert known is not None
    assert [one.label for one in known.options] == [one.label for one in first.options]
    assert known.seen_at == at
    assert searched is not None
    assert {one.label for one in searched.options} == {"Enamel Mug “First Light”", "Two-Tone Mug"}


def test_an_answer_that_brings_nothing_new_is_not_written_each_time(
    shop: Connection, frozen_clock: FrozenClock
) -> None:
    connections.offer(shop, PRODUCTS)
    at = frozen_clock.now()
    moments = []
    for minutes in (2, 4):
        frozen_clock.advance(minutes=minutes)
        connections.offer(shop, PRODUCTS)
        fresh_view()
        known = connections.known(shop, PRODUCTS)
        assert known is not None
        moments.append((known.seen_at - at).seconds // 60)

    assert moments == [0, 6]


def test_what_was_searched_for_is_not_taken_for_the_list(shop: Connection) -> None:
    connections.offer(shop, PRODUCTS, search="mug")

    assert connections.known(shop, PRODUCTS) is None


def test_a_change_there_is_kept_at_once(shop: Connection, sandbox: Sandbox) -> None:
    connections.offer(shop, PRODUCTS)
    sandbox.remove_product("fern-tee")

    connections.offer(shop, PRODUCTS)

    known = connections.known(shop, PRODUCTS)
    assert known is not None
    assert len(known.options) == 11


def test_a_page_that_follows_is_kept_behind_the_first(ada: User, connect: Walker, sandbox: Sandbox) -> None:
    sandbox.generate("shopify", count=70, seed=3, shop="long-shop.myshopify.com")
    shop = connect(ada, "shopify", shop="long-shop")
    first = connections.offer(shop, PRODUCTS)

    connections.offer(shop, PRODUCTS, cursor=first.next_cursor)

    known = connections.known(shop, PRODUCTS)
    assert known is not None
    assert len(known.options) == 70


def test_a_list_is_too_old_after_a_month(shop: Connection, frozen_clock: FrozenClock) -> None:
    connections.offer(shop, PRODUCTS)
    frozen_clock.advance(days=31)

    assert connections.known(shop, PRODUCTS) is None


def test_another_account_of_the_same_connection_is_shown_nothing_of_the_first(shop: Connection) -> None:
    connections.offer(shop, PRODUCTS)
    with transaction() as session:
        session.merge(shop).account_id = "another"

    assert connections.known(db.session.get_one(Connection, shop.id), PRODUCTS) is None


def test_only_the_newest_lists_of_a_connection_are_kept(
    shop: Connection, frozen_clock: FrozenClock, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(offers, "MOST_LISTS", 2)
    for label in ("title", "handle", "id"):
        connections.offer(shop, replace(PRODUCTS, label=label))
        frozen_clock.advance(seconds=1)

    assert kept() == 2
    assert connections.known(shop, PRODUCTS) is None


def test_disconnecting_forgets_the_lists(ada: User, shop: Connection) -> None:
    connections.offer(shop, PRODUCTS)

    connections.disconnect(ada.id, "shopify")

    assert kept() == 0
