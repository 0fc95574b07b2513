"""What people are told of limits: alerts for connections that are left alone, or have used most of a long budget.

Looked at by the clock, for Redis may forget and a request should not wait for it. Alerts themselves are `alerts`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import TypeAlias

from sqlalchemy import ColumnElement, or_, select

from patchbay import alerts
from patchbay.limits import breakers, store
from patchbay.limits.breakers import Breaker
from patchbay.limits.budgets import NEARLY_SPENT, Key, of
from patchbay.limits.headroom import headrooms
from patchbay.models import Alert, Connection, ConnectionState, db

LONG_S = 3600.0
NEAR = 0.8
AT_ONCE = 500
"""How many alerts one look raises at most; the next look goes on."""

Told: TypeAlias = Mapping[str, tuple[Connection, dict[str, str]]]
"""By the connection's id: the connection, and what fills the alert's sentence."""

_OWNER = re.compile(r"patchbay:limits:\{(?P<key>[^:}]+):(?P<flag>\w+)\}:(?P<by>account|app):?(?P<account>.*)")


def look() -> None:
    """Raise what is amiss, resolve what is over. Does nothing while Redis is away."""
    try:
        down, near = _down(), _nearly_spent()
    except store.Unreachable:
        return
    _reconcile(alerts.Kind.INTEGRATION_DOWN, down)
    _reconcile(alerts.Kind.QUOTA_NEAR, near)


def _down() -> Told:
    """Connections that are left alone, by their own breaker or that of their platform."""
    found = [connection for breaker in breakers.all_open() for connection in _connected(_behind(breaker))]
    return {connection.id: (connection, {}) for connection in found}


def _behind(breaker: Breaker) -> ColumnElement[bool]:
    if breaker.scope == "connection":
        return Connection.id == breaker.connection_id
    return (Connection.integration_id == breaker.provider_key) & (Connection.is_sandbox == breaker.is_sandbox)


def _nearly_spent() -> Told:
    """Connections with a long budget of which most is used; an owner who has room again leaves the set."""
    told: dict[str, tuple[Connection, dict[str, str]]] = {}
    for place in store.members(NEARLY_SPENT):
        owner = _OWNER.fullmatch(place)
        connections = _connected(_owned(owner)) if owner else []
        shares = _shares([of(connection) for connection in connections])
        near = [connection for connection in connections if shares[of(connection)] >= NEAR]
        told |= {each.id: (each, {"percent": str(round(shares[of(each)] * 100))}) for each in near}
        if not near:
            _forget(place)
    return told


def _forget(place: str) -> None:
    store.ask(lambda redis: redis.srem(NEARLY_SPENT, place))


def _owned(owner: re.Match[str]) -> ColumnElement[bool]:
    of_app = (Connection.integration_id == owner["key"]) & (Connection.is_sandbox == (owner["flag"] == "sandbox"))
    if owner["by"] == "app":
        return of_app
    return of_app & or_(Connection.account_id == owner["account"], Connection.id == owner["account"])


def _shares(keys: Sequence[Key]) -> Mapping[Key, float]:
    """How much of the fullest long budget is used."""
    found = headrooms(keys)
    return {key: max((each.share for each in found[key] if each.seconds >= LONG_S), default=0.0) for key in keys}


def _connected(those: ColumnElement[bool]) -> Sequence[Connection]:
    return db.session.scalars(select(Connection).where(those, Connection.state == ConnectionState.CONNECTED)).all()


def _reconcile(kind: alerts.Kind, told: Told) -> None:
    """Let exactly those connections have an open alert of that kind about themselves."""
    have = set(db.session.scalars(select(Alert.subject_id).where(Alert.kind == kind, Alert.is_open)))
    for connection_id in [each for each in told if each not in have][:AT_ONCE]:
        connection, params = told[connection_id]
        alerts.raise_alert(
            kind, user_id=connection.user_id, subject_id=connection.id, connection_id=connection.id, **params
        )
    for subject_id in have - told.keys():
        alerts.resolve(kind, subject_id)
