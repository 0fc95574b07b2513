"""Who calls, what the scopes open, and how much may be asked: leaky buckets by user, plan of the file's home and app.

Sources: npm @figma/rest-api-spec 0.43.0 (the scopes of each operation); developers.figma.com "Rate Limits" and the help
article 34963238552855 (limits since 2025-11-17; a file on the starter plan allows a full seat no more than a view seat
has); read 2026-11-21. How tokens come about is in `oauth`.
"""

import time
from dataclasses import dataclass
from typing import Literal

from werkzeug.wrappers import Request

from sandbox.grants import Grants
from sandbox.hosts.figma.people import Person
from sandbox.hosts.figma.refusals import FigmaRefused, dead_token, lacking_scope, limited
from sandbox.store import Document, Store

Tier = Literal[1, 2, 3]
_MINUTE_S = 60.0
_MONTH_S = 30 * 24 * 3600.0
_LOW: dict[Tier, tuple[int, float]] = {1: (6, _MONTH_S), 2: (5, _MINUTE_S), 3: (10, _MINUTE_S)}
_HIGH: dict[str, dict[Tier, int]] = {
    "student": {1: 10, 2: 25, 3: 50},
    "pro": {1: 10, 2: 25, 3: 50},
    "org": {1: 15, 2: 50, 3: 100},
    "enterprise": {1: 20, 2: 100, 3: 150},
}
_OLD_SCOPE = "files:read"  # deprecated; opens whatever the specification lists it for


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who calls, through which app, with which scopes."""

    person: Person
    client_id: str
    scopes: tuple[str, ...]

    def demand(self, scope: str, *, also_old: bool = True) -> None:
        """Raise the 403 of a token without that scope."""
        if scope not in self.scopes and not (also_old and _OLD_SCOPE in self.scopes):
            raise lacking_scope(self.scopes, scope)


def viewer_of(request: Request, grants: Grants) -> Viewer:
    """Who calls; raises FigmaRefused 403, whatever is wrong with the token."""
    text = bearer_token(request)
    token = grants.find(text) if text else None
    if token is None or token.kind != "access":
        raise dead_token(is_expired=False)
    grant = grants.grant_of(token)
    if token.revoked or grant.revoked:
        raise dead_token(is_expired=False)
    if token.is_expired:
        raise dead_token(is_expired=True)
    return Viewer(Person(grant.account), grant.client_id, grant.scopes)


def bearer_token(request: Request) -> str | None:
    """The token of the Authorization header. One in `X-Figma-Token` is a personal one, of which there are none here."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None


class Buckets:
    """How much each user has asked lately; kept in the store, because a month outlives a process."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def take(self, viewer: Viewer, team: Document, tier: Tier) -> None:
        """Count one call on something at home in `team`; raises FigmaRefused 429 when the bucket is full."""
        size, period_s = self._terms(viewer, team, tier)
        key = f"{viewer.person.email}/{team['id']}/{viewer.client_id}/{tier}"
        now = time.time()
        with self._store.transaction():
            kept = self._store.get("buckets", key) or {"level": 0.0, "at": now}
            level = max(0.0, kept["level"] - (now - kept["at"]) * size / period_s)
            if level + 1 > size:
                raise self.full(viewer, team, (level + 1 - size) * period_s / size)
            self._store.put("buckets", key, {"level": level + 1, "at": now})

    def full(self, viewer: Viewer, team: Document, seconds: float) -> FigmaRefused:
        """The 429 for a caller on something at home in `team`."""
        return limited(seconds, team["plan"], "high" if _is_high(viewer, team) else "low")

    def empty(self) -> None:
        """Let everybody ask anew."""
        self._store.clear("buckets")

    def _terms(self, viewer: Viewer, team: Document, tier: Tier) -> tuple[int, float]:
        by_tier = _HIGH.get(team["plan"])
        if by_tier is None or not _is_high(viewer, team):
            return _LOW[tier]
        return by_tier[tier], _MINUTE_S


def _is_high(viewer: Viewer, team: Document) -> bool:
    return team["seats"].get(viewer.person.email) in ("dev", "full")
