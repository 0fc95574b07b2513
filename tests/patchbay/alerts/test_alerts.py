"""Alerts: raised once per user, kind and subject, counted while they last, over when the cause is."""

import pytest
from flask import Flask
from sqlalchemy import select

from patchbay import alerts
from patchbay.errors import PatchbayError
from patchbay.models import Alert, Connection, User, db, fresh_view, transaction
from tests.stage import FrozenClock, Walker, at_once

pytestmark = pytest.mark.usefixtures("context")


def raise_one(user: User, subject_id: str = "con_1:products", **params: str) -> None:
    alerts.raise_alert(alerts.Kind.UNEXPECTED_SHAPE, user_id=user.id, subject_id=subject_id, **params)


def all_alerts() -> list[Alert]:
    fresh_view()
    return list(db.session.scalars(select(Alert).order_by(Alert.id).execution_options(populate_existing=True)))


def test_what_is_raised_again_is_counted_and_says_the_newest(ada: User, frozen_clock: FrozenClock) -> None:
    raise_one(ada, operation="Import products")
    frozen_clock.advance(minutes=1)
    raise_one(ada, operation="Import listings")

    (alert,) = all_alerts()

    assert (alert.count, alert.params, alert.is_open) == (2, {"operation": "Import listings"}, True)
    assert alert.last_raised_at == frozen_clock.now()
    assert alert.opened_at < alert.last_raised_at


def test_other_subjects_and_other_people_have_alerts_of_their_own(ada: User, ben: User) -> None:
    raise_one(ada)
    raise_one(ada, "con_2:products")
    raise_one(ben)

    assert len(all_alerts()) == 3


def test_what_is_over_is_closed_for_everybody(ada: User, ben: User, frozen_clock: FrozenClock) -> None:
    raise_one(ada)
    raise_one(ben)
    raise_one(ada, "con_2:products")

    alerts.resolve(alerts.Kind.UNEXPECTED_SHAPE, "con_1:products")

    assert [(alert.is_open, alert.resolved_at) for alert in all_alerts()] == [
        (False, frozen_clock.now()),
        (False, frozen_clock.now()),
        (True, None),
    ]


def test_resolving_what_is_not_open_does_nothing(ada: User) -> None:
    alerts.resolve(alerts.Kind.AUTH_FAILED, "con_1")

    assert all_alerts() == []


def test_what_comes_back_soon_is_the_same_alert(ada: User, frozen_clock: FrozenClock) -> None:
    for _ in range(3):
        raise_one(ada)
        frozen_clock.advance(minutes=1)
        alerts.resolve(alerts.Kind.UNEXPECTED_SHAPE, "con_1:products")
        frozen_clock.advance(minutes=4)

    (alert,) = all_alerts()

    assert (alert.count, alert.is_open) == (3, False)


def test_what_comes_back_later_is_a_new_one(ada: User, frozen_clock: FrozenClock) -> None:
    raise_one(ada)
    alerts.resolve(alerts.Kind.UNEXPECTED_SHAPE, "con_1:products")
    frozen_clock.advance(minutes=6)

    raise_one(ada)

    assert [alert.is_open for alert in all_alerts()] == [False, True]


def test_an_alert_shares_the_fate_of_the_transaction_that_raised_it(ada: User) -> None:
    def raise_and_fail() -> None:
        with transaction():
            raise_one(ada)
            raise PatchbayError

    with pytest.raises(PatchbayError):
        raise_and_fail()

    assert all_alerts() == []


def test_an_alert_about_a_connection_names_its_provider(connect: Walker, ada: User) -> None:
    shop: Connection = connect(ada, "shopify", shop="demo-shop")

    alerts.raise_alert(alerts.Kind.AUTH_FAILED, user_id=ada.id, subject_id=shop.id, connection_id=shop.id)

    (alert,) = all_alerts()
    assert (alert.connection_id, alert.params) == (shop.id, {"provider": "Shopify"})


def test_words_of_a_platform_are_cut_and_their_secrets_masked(ada: User) -> None:
    raise_one(ada, detail="access_token=abcdefgh12345678 " + "x" * 10_000)

    (alert,) = all_alerts()

    assert len(alert.params["detail"]) == alerts.LONGEST_PARAM
    assert "abcdefgh12345678" not in alert.params["detail"]


def test_a_storm_from_many_sides_is_one_alert(ada: User, app: Flask) -> None:
    def rage() -> None:
        for _ in range(25):
            raise_one(ada)

    at_once(app, [rage] * 8)

    (alert,) = all_alerts()

    assert (alert.count, alert.is_open) == (200, True)
