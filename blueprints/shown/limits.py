"""Limits and circuits of a connection in words: what is left, and what became of a platform that kept failing.

What is kept of them lives in `patchbay.limits`.
"""

from collections.abc import Sequence
from datetime import timedelta

from blueprints.rendering import formats, said
from patchbay import clock
from patchbay.errors import N_
from patchbay.health import Circuit, Headroom

SCOPES = {
    "platform": N_("%(provider)s as a whole"),
    "connection": N_("this connection"),
    "login": N_("the login at %(provider)s"),
}

AT_ONCE = "at once"
"""What limits of requests that go on at the same time are called (`spec.throttle.Window`); others are buckets."""


def used(limits: Sequence[Headroom]) -> list[str]:
    """Each limit: "38 of 40 in 1 s used"."""
    return [_used(one) for one in limits]


def stories(circuits: Sequence[Circuit], provider_name: str) -> list[str]:
    """What there is to tell of each breaker, in sentences; nothing of one that never opened."""
    return [_story(one, provider_name) for one in circuits if one.opened_at is not None]


def failures(circuits: Sequence[Circuit]) -> list[tuple[str, str]]:
    """The last failures that were counted, the newest first: when, and in what way (in the platform's own words)."""
    found = {(one.at, one.what) for circuit in circuits for one in circuit.failures}
    return [(formats.second(at), what) for at, what in sorted(found, reverse=True)[:5]]


def _used(limit: Headroom) -> str:
    numbers = {"used": formats.number(round(limit.used)), "most": formats.number(round(limit.most))}
    if not limit.seconds:
        at_once = AT_ONCE in limit.name
        return said(
            N_("%(used)s of %(most)s at the same time") if at_once else N_("%(used)s of %(most)s used"), numbers
        )
    stretch = formats.duration(timedelta(seconds=limit.seconds))
    return said(N_("%(used)s of %(most)s used in %(what)s"), {**numbers, "what": stretch})


def _story(circuit: Circuit, provider_name: str) -> str:
    words = {
        "what": said(SCOPES[circuit.breaker.scope], {"provider": provider_name}),
        "since": formats.hour(circuit.opened_at or clock.now()),
        "until": formats.hour(circuit.closed_at or clock.now()),
        "next": formats.hour(circuit.retry_at or clock.now()),
    }
    if circuit.is_probing:
        return said(
            N_("Many requests failed, so %(what)s is left alone since %(since)s. One is being tried now."), words
        )
    if circuit.is_open:
        return said(N_("Many requests failed, so %(what)s is left alone since %(since)s. Next try: %(next)s."), words)
    return said(N_("Left alone from %(since)s to %(until)s: %(what)s. It works again."), words)
