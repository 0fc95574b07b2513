"""Keeping what a run sends and gets: noted in memory while it goes on, written with the run's own steps.

What of it may be kept is decided in `wire.shown`; reading it again lives in the package itself.
"""

import hashlib
import json
import time
import zlib
from base64 import b64decode, b64encode
from collections import deque
from typing import Any

from sqlalchemy import func, insert, select

from patchbay import settings
from patchbay.client import Exchange
from patchbay.models import Run, RunStatus, WireEntry, db, new_id
from patchbay.models.wire import REFRESH
from patchbay.redaction import redact, redact_url
from patchbay.wire.shown import Draft

FIRST_KEPT = 200
FAILED_KEPT = 300
LAST_KEPT = 100
WRITTEN_EVERY_S = 2.0
WRITTEN_AT = 50
MOST_WHOLE_BYTES = 20 * 1024 * 1024

Row = dict[str, Any]


class WireLog:
    """Listens to one claim of a run (`runs.listening.Listener`).

    Kept are the first 200 tries of a claim, the last 100, and up to 300 that failed in between. A run whose answers are
    to be replayed keeps all of them, whole, up to 20 MB when packed.
    """

    def __init__(self, run: Run) -> None:
        self._of_run = {"run_id": run.id, "user_id": run.user_id, "integration_id": run.integration_id}
        self._is_on, self._keeps_whole = settings.current().wire_log_days > 0, run.keeps_answers
        self._whole_bytes = 0
        self._number: int | None = None
        self._seen = self._failed = 0
        self._waiting: list[Row] = []
        self._last: deque[tuple[Row, Draft]] = deque(maxlen=LAST_KEPT)
        self._written_at = time.monotonic()

    def exchanged(self, exchange: Exchange) -> None:
        """Take a note of the try; what may be dropped again is masked when it is not."""
        if not self._is_on:
            return
        self._seen += 1
        row, draft = self._row(exchange), Draft.of(exchange)
        if self._keeps_whole or self._seen <= FIRST_KEPT:
            self._waiting.append(row | vars(draft.shown()))
        elif exchange.error and self._failed < FAILED_KEPT:
            self._failed += 1
            self._waiting.append(row | vars(draft.shown()))
        else:
            self._last.append((row, draft))

    def write(self, run: Run) -> None:
        """Write what was noted, when enough has come together or the run has stopped."""
        if not (self._waiting or self._last):
            return
        is_due = len(self._waiting) >= WRITTEN_AT or time.monotonic() - self._written_at > WRITTEN_EVERY_S
        if run.status is RunStatus.RUNNING and not is_due:
            return
        if run.status is not RunStatus.RUNNING:
            self._waiting += [row | vars(draft.shown()) for row, draft in self._last]
            self._last.clear()
        if self._waiting:
            before = self._before()
            rows = [{**row, "number": before + row["number"]} for row in self._waiting]
            db.session.connection().execute(insert(WireEntry), rows)  # the session need not know rows that nobody holds
        self._waiting, self._written_at = [], time.monotonic()

    def _before(self) -> int:
        """How many tries earlier claims have counted."""
        if self._number is None:
            counted = select(func.max(WireEntry.number)).where(WireEntry.run_id == self._of_run["run_id"])
            self._number = db.session.scalar(counted) or 0
        return self._number

    def _row(self, exchange: Exchange) -> Row:
        """All columns but those of `Shown`."""
        entry_id = new_id("wir")
        return {
            "id": entry_id,
            **self._of_run,
            "number": self._seen,
            "attempt": exchange.attempt,
            "at": exchange.started_at,
            "duration_ms": exchange.duration_ms,
            "method": exchange.method,
            "request_bytes": len(exchange.request_body),
            "fingerprint": self._fingerprint(exchange),
            "status": exchange.status,
            "error": exchange.error,
            "response_bytes": len(exchange.response_body),
            "whole_sealed": self._whole(entry_id, exchange) if self._keeps_whole and not exchange.is_refresh else None,
        }

    def _fingerprint(self, exchange: Exchange) -> str:
        """Of what can be replayed."""
        if exchange.is_refresh:
            return REFRESH
        return fingerprint(exchange) if self._keeps_whole else ""

    def _whole(self, entry_id: str, exchange: Exchange) -> str | None:
        """The answer to the last byte (of what is no text: its size), packed and sealed; None when there is no room."""
        answer = {"headers": dict(exchange.response_headers), "body": _text_or_size(exchange.response_body)}
        packed = b64encode(zlib.compress(json.dumps(answer).encode())).decode()
        if self._whole_bytes + len(packed) > MOST_WHOLE_BYTES:
            return None
        self._whole_bytes += len(packed)
        entry = WireEntry(id=entry_id)
        entry.whole = packed
        return entry.whole_sealed


def unpacked(entry: WireEntry) -> tuple[dict[str, str], str | int]:
    """Headers and text of an answer that was kept whole; of what was no text, its size in bytes."""
    answer = json.loads(zlib.decompress(b64decode(entry.whole or "")))
    return answer["headers"], answer["body"]


def fingerprint(exchange: Exchange) -> str:
    """Which request it is: two that ask the same have the same, whatever secrets they carry, and whatever pictures."""
    sent = exchange.outgoing
    named = redact(sent.json if sent.form is None else sent.form)
    size = len(exchange.request_body) if sent.content is not None else 0
    asked = [exchange.method, redact_url(exchange.url), named, size]
    return hashlib.sha256(json.dumps(asked, sort_keys=True).encode()).hexdigest()


def _text_or_size(body: bytes) -> str | int:
    try:
        return body.decode()
    except UnicodeDecodeError:
        return len(body)
