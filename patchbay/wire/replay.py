"""Carrying a run out again from its record: the provider's own code, the answers as they came, no network, no records.

Whether it comes to the same end, and if not at which request it first differs, tells a change of ours from one of the
platform's. Recording lives in `recording`; which runs keep whole answers is said when they are started.
"""

import hashlib
from collections.abc import Iterator
from dataclasses import dataclass, field
from typing import Any

import msgspec
from sqlalchemy import select

from patchbay import clock, providers, tokens
from patchbay.client import Client, Unwatched
from patchbay.client.exchange import Line
from patchbay.client.watch import Exchange
from patchbay.errors import N_, Conflict, NetworkError, PatchbayError
from patchbay.models import Connection, Run, WireEntry, db
from patchbay.spec import Action, Answer, Fault, Import, Operation, Request, classify
from patchbay.wire.recording import fingerprint, unpacked


class Departed(Exception):
    """The replay asks for something else than the run did; the text says what, and instead of what."""


@dataclass(frozen=True)
class Outcome:
    """What a replay came to. `differs` None: it sent what the run sent, and ended as the run did.

    `digest` is the SHA-256 of all that was read, or of the action's result: two replays of one record have the same.
    """

    requests: int
    items: int
    error: str
    digest: str
    differs: str | None


def replay(run: Run) -> Outcome:
    """Carry the run out from its record. Raises Conflict for a run that cannot be replayed."""
    operation, record = _operation(run), _record(run)
    tape, items, error, departed = _Tape(record), 0, "", None
    digest = hashlib.sha256()
    try:
        for item in _carried_out(run, operation, tape):
            items += 1
            digest.update(msgspec.json.encode(item, order="sorted", enc_hook=str))
    except Departed as found:
        departed = str(found)
    except PatchbayError as found:
        error = found.kind
    differs = departed or _difference(run, items, error)
    return Outcome(tape.place, items, error, digest.hexdigest(), differs)


def _difference(run: Run, items: int, error: str) -> str | None:
    if error != (run.error_kind or ""):
        return f"it ended with {error or 'success'}, the run with {run.error_kind or 'success'}"
    if run.stream is not None and not error and items != run.count_read + run.count_failed:
        return f"it read {items} items, the run {run.count_read + run.count_failed}"
    return None


def _operation(run: Run) -> Operation:
    operation = providers.get(run.integration_id).operation(run.operation)
    if operation is None or (isinstance(operation, Action) and not operation.is_read_only):
        raise Conflict(sentence=N_("Only runs that read can be replayed."))
    return operation


def _record(run: Run) -> list[WireEntry]:
    if not run.keeps_answers or run.is_open:
        raise Conflict(sentence=N_("Only a run that has ended and was started to be recorded can be replayed."))
    record = list(db.session.scalars(select(WireEntry).where(WireEntry.run_id == run.id).order_by(WireEntry.number)))
    requests = [entry for entry in record if not entry.is_refresh]
    is_whole = (
        bool(requests)
        and record[-1].number == len(record)
        and all(entry.status is None or entry.whole_sealed for entry in requests)
    )
    if run.attempts > 1 or not is_whole:
        raise Conflict(sentence=N_("The record of this run is not whole: it was interrupted, or too much came in."))
    return requests


def _carried_out(run: Run, operation: Operation, tape: "_Tape") -> Iterator[Any]:
    """Everything that the operation reads, or the result of an action."""
    connection = db.session.get_one(Connection, run.connection_id)
    api = _Player(
        provider=providers.get(run.integration_id),
        app=None,
        settings=connection.settings,
        is_sandbox=connection.is_sandbox,
        source=_NoToken(),
        budget_key=f"replay:{run.id}",
        account=connection.account_id,
        watch=_Memory(dict(run.memo)),
        doing=operation.doing,
        stream=run.stream or "",
    )
    api.tape = tape
    if isinstance(operation, Import):
        for page in operation.pages(api, None):
            yield from ([item.external_id, item.data] for item in page.items)
    else:
        yield dict(operation.run(api, run.input))


@dataclass
class _Tape:
    """The record, and how far it has been played."""

    record: list[WireEntry]
    place: int = 0

    def next(self, exchange: Exchange) -> WireEntry:
        """The entry for this request. Raises Departed when the run sent another one in its place."""
        asked = f"{exchange.method} {exchange.url.partition('?')[0]}"
        if self.place == len(self.record):
            raise Departed(f"request {self.place + 1} is {asked}, where the run sent nothing more")
        entry = self.record[self.place]
        if entry.fingerprint != fingerprint(exchange):
            sent = f"{entry.method} {entry.url.partition('?')[0]}"
            raise Departed(f"request {self.place + 1} is {asked}, where the run sent {sent}, or the same otherwise")
        self.place += 1
        return entry


@dataclass(frozen=True)
class _TapedLine(Line):
    """A line on which the record answers."""

    tape: _Tape = field(kw_only=True)

    def exchange(
        self, request: Request, url: str, token: tokens.Token | None, attempt: int
    ) -> tuple[Answer, Fault | None]:
        """The answer that the run got for the same request."""
        outgoing = self._outgoing(request, url, token)
        entry = self.tape.next(Exchange(outgoing, None, {}, b"", "", 0, clock.now(), attempt))
        if entry.status is None:
            raise NetworkError("no answer came to the run", provider=self.provider.name)
        headers, body = unpacked(entry)
        answer = Answer(entry.status, headers, body, url)
        return answer, None if request.accepts(answer) else classify(self.provider.faults, answer)


class _Player(Client):
    """A client that is played to from a tape and waits for nothing."""

    tape: _Tape

    def pause(self, seconds: float) -> None:
        """What the run waited for has passed."""

    def _line(self) -> Line:
        there = super()._line()
        parts = {name: getattr(there, name) for name in Line.__dataclass_fields__}
        return _TapedLine(**parts, tape=self.tape)


class _NoToken:
    """The source of a token that nobody looks at."""

    def fresh(self) -> tokens.Token:
        """Something to send."""
        return tokens.Token("replayed", 0, is_proved=True)

    def replaced(self, refused: tokens.Token) -> tokens.Token:  # noqa: ARG002 - the protocol's names
        """As good as the last."""
        return self.fresh()

    def worked(self, token: tokens.Token) -> None:
        """It is not stored."""

    def gave_up(self, reason: str) -> None:
        """It is not stored."""


class _Memory(Unwatched):
    """A run's memory as it was at the end: what was made at random then is the same now."""

    def __init__(self, memo: dict[str, Any]) -> None:
        self._memo = memo

    def remember(self, name: str, make: Any) -> Any:
        """What the run remembered."""
        if name not in self._memo:
            self._memo[name] = make()
        return self._memo[name]
