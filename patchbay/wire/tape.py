"""A run's recording: what it was asked for, each request with its whole answer, how it ended; from rows or from a file.

Carrying the run out again from it lives in `replay`; keeping the answers while a run goes on in `recording`.
"""

import re
from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from sqlalchemy import select

from patchbay.errors import N_, Conflict, Invalid
from patchbay.models import Connection, Run, Trigger, WireEntry, db
from patchbay.redaction import redact, redact_headers, redact_text
from patchbay.wire.recording import unpacked

KINDS = ("picture", "address", "design")
_TOLD = {"code", "state"}
_A_WORD = re.compile(r"[A-Za-z]+(?:[_ .-][A-Za-z]+)*")
"""In an answer these names mostly say how something is; a secret under them is no word."""


class Take(msgspec.Struct, frozen=True):
    """One try of one request and its answer; `status` None: none came. `body`: a text, or the size of what is none."""

    method: str
    url: str
    fingerprint: str
    attempt: int
    status: int | None
    headers: dict[str, str]
    body: str | int

    @property
    def content(self) -> bytes:
        """The body: a text as it came, anything else as so many zeros."""
        return self.body.encode() if isinstance(self.body, str) else bytes(self.body)


class Recording(msgspec.Struct, frozen=True):
    """All that a replay needs. `memo` is the run's memory at its end; `counted` how many items an import read or set
    aside, `error` what kind of error it ended with, "" for none."""

    integration: str
    operation: str
    stream: str | None
    input: dict[str, Any]
    settings: dict[str, Any]
    account: str
    memo: dict[str, Any]
    takes: Sequence[Take]
    error: str
    counted: int
    result: dict[str, Any] | None


def of_run(run: Run) -> Recording:
    """The recording of a run that has ended.

    Raises Conflict where its answers were not kept, or not all of them, or where it went on from what another had done.
    """
    if not run.keeps_answers or run.is_open:
        raise Conflict(sentence=N_("Only a run that has ended and was started to be recorded can be replayed."))
    entries = list(db.session.scalars(select(WireEntry).where(WireEntry.run_id == run.id).order_by(WireEntry.number)))
    requests = [entry for entry in entries if not entry.is_refresh]
    is_one = run.attempts == 1 and run.trigger is not Trigger.RETRY
    has_all = bool(requests) and entries[-1].number == len(entries)
    if not (is_one and has_all) or any(entry.status is not None and not entry.whole_sealed for entry in requests):
        raise Conflict(sentence=N_("The record of this run is not whole: it was interrupted, or too much came in."))
    connection = db.session.get_one(Connection, run.connection_id)
    return Recording(
        integration=run.integration_id,
        operation=run.operation,
        stream=run.stream,
        input=dict(run.input),
        settings=dict(connection.settings),
        account=connection.account_id,
        memo=dict(run.memo),
        takes=[_take(entry) for entry in requests],
        error=run.error_kind or "",
        counted=run.count_read + run.count_failed,
        result=run.result,
    )


def to_file(recording: Recording) -> bytes:
    """As JSON without secrets: what was masked in an address stays masked, and answers are redacted by name and look.

    What the platform says of its objects is in it as it came.
    """
    takes = [
        msgspec.structs.replace(take, headers=redact_headers(take.headers), body=_safe(take.body))
        for take in recording.takes
    ]
    told = {name: redacted(getattr(recording, name)) for name in ("input", "settings", "result")}
    memo = {redact_text(name): redacted(value) for name, value in recording.memo.items()}
    safe = msgspec.structs.replace(recording, takes=takes, memo=memo, **told)
    return msgspec.json.format(msgspec.json.encode(safe), indent=1) + b"\n"


def of_file(content: bytes) -> Recording:
    """The recording that was written by `to_file`. Raises Invalid for anything else."""
    try:
        return msgspec.json.decode(content, type=Recording)
    except (msgspec.DecodeError, UnicodeDecodeError):
        raise Invalid({"file": N_("This is no recording of a run.")}) from None


def redacted(value: Any) -> Any:
    """A JSON-like value as `redact` leaves it, but for words under a name that only in a login stands for a secret."""
    if isinstance(value, Mapping):
        return {name: _entry(name, one) for name, one in value.items()}
    if isinstance(value, list):
        return [redacted(one) for one in value]
    return redact(value)


def noted(kind: str) -> str:
    """Under which name the run's memory keeps, in their order, what it was handed: of `KINDS`."""
    return f"noted {kind}s"


def _take(entry: WireEntry) -> Take:
    headers, body = unpacked(entry) if entry.status is not None else ({}, "")
    return Take(entry.method, entry.url, entry.fingerprint, entry.attempt, entry.status, headers, body)


def _safe(body: str | int) -> str | int:
    if isinstance(body, int):
        return body
    try:
        return msgspec.json.encode(redacted(msgspec.json.decode(body))).decode()
    except msgspec.DecodeError:
        return redact_text(body)


def _entry(name: str, value: Any) -> Any:
    if isinstance(value, Mapping | list):
        return redacted(value)
    if name.lower() in _TOLD and (isinstance(value, int) or _A_WORD.fullmatch(str(value))):
        return value
    shown: Any = redact({name: value})
    return shown[name]
