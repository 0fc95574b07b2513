"""What a client looks to while it works for a run: whether to stop, and a memory that outlives a kill.

Carrying the run out lives in `runs.execution`, receipts in `runs.receipts`; each writing is a step under the lease.
"""

import math
from collections.abc import Callable, Mapping
from typing import Any

from sqlalchemy import select

from patchbay import assets, client, clock, providers
from patchbay.errors import storable
from patchbay.models import Connection, LogLevel, ReceiptState, Run, RunLog, db
from patchbay.redaction import redact_text
from patchbay.runs import receipts
from patchbay.runs.lease import Lease
from patchbay.runs.listening import LISTENERS, STANDING
from patchbay.spec import Picture
from patchbay.wire.tape import noted


class Watching:
    """The `Watch` of one claim of one run. `saved` of `total` say how far it has come.

    `was_answered`: the platform has answered well in this claim; `has_come_further`: something was done that stays.
    """

    def __init__(self, lease: Lease) -> None:
        self.lease = lease
        self.run = db.session.get_one(Run, lease.run_id, populate_existing=True)
        self.connection = db.session.get_one(Connection, self.run.connection_id, populate_existing=True)
        self.provider = providers.get(self.run.integration_id)
        self.memo = dict(self.run.memo)
        self.saved = self.run.progress_done
        self.total = self.run.progress_total
        self.was_answered = False
        self.has_come_further = False
        self.listeners = [listener(self.run) for listener in LISTENERS]

    def check(self) -> None:
        """Raise when the run is to stop."""
        self.lease.check()

    def patience_s(self) -> float:
        """A worker has time."""
        return math.inf

    def log(self, level: str, message: str, **params: str | int) -> None:
        """Add a line, in a step of its own."""
        with self.lease.step():
            self.add_line(level, message, **params)
            self._notice_cancel()

    def progress(self, done: int, total: int | None) -> None:
        """Write how far an action has come."""
        with self.lease.step(progress_done=done, progress_total=total):
            self._notice_cancel()
        self.has_come_further = self.has_come_further or done > self.saved
        self.saved, self.total = done, total
        self.check()

    def remember(self, name: str, make: Callable[[], Any]) -> Any:
        """Durable before it is used."""
        if name not in self.memo:
            value = make()
            self.memo[name] = value
            with self.lease.step(memo=dict(self.memo)):
                self._notice_cancel()
        return self.memo[name]

    def forget(self, name: str) -> None:
        """Made anew at the next `remember`."""
        self.memo.pop(name, None)
        with self.lease.step(memo=dict(self.memo)):
            self._notice_cancel()

    def receipt(self, name: str) -> client.Kept | None:
        """What this run, or the one that it goes on from, has sent under that name."""
        return receipts.find(self.run.id, name)

    def sending(self, name: str, fingerprint: str) -> None:
        """Durable before it is sent."""
        with self.lease.step():
            receipts.write_sent(self.run, name, fingerprint)
            self._notice_cancel()
        self.check()

    def settle(self, name: str, state: ReceiptState, answer: Any = None) -> None:
        """What is known of it now."""
        with self.lease.step():
            receipts.settle(self.run, name, state, answer)
        self.has_come_further = self.has_come_further or state is ReceiptState.DONE

    def withdraw(self, name: str) -> None:
        """It was refused."""
        with self.lease.step():
            receipts.withdraw(self.run.id, name)

    def picture(self, address: str) -> Picture:
        """Own assets from disk, others through the address guard."""
        picture = assets.read_picture(self.run.user_id, address)
        facts = ("filename", "content_type", "name", "size_bytes")
        self._note("picture", {name: getattr(picture, name) for name in facts})
        return picture

    def public_address(self, address: str, content_type: str) -> str:
        """Own assets by their signed link, others as they are."""
        copy_id = self.remember(f"copy:{address}", assets.reserve) if content_type else ""
        shared = assets.public_address(self.run.user_id, address, content_type, copy_id=copy_id)
        self._note("address", shared)
        return shared

    def keep(self, content: bytes, filename: str) -> Mapping[str, Any]:
        """Once per run and file name, so that a resumed run makes no second copy."""
        asset_id = self.remember(f"kept:{filename}", assets.reserve)
        if not assets.is_kept(asset_id):
            assets.upload(self.run.user_id, content, filename, asset_id=asset_id)
        asset = assets.get(self.run.user_id, asset_id)
        kept = {
            "id": asset.id,
            "name": asset.name,
            "url": assets.link(asset),
            "width": asset.width,
            "height": asset.height,
        }
        self._note("design", kept)
        return kept

    def exchanged(self, exchange: client.Exchange) -> None:
        """Whoever listens takes a note; it is written with the run's next step."""
        self.was_answered = self.was_answered or not (exchange.error or exchange.is_refresh)
        for listener in self.listeners:
            listener.exchanged(exchange)

    def listened(self) -> None:
        """In the present step: let the listeners write what they have noted."""
        db.session.refresh(self.run, STANDING)
        for listener in self.listeners:
            listener.write(self.run)

    def write(self, level: str, message: str, **params: str | int) -> None:
        """Add a line in the present step, let the listeners write, and see whether the run is to stop."""
        self._notice_cancel()
        self.add_line(level, message, **params)
        self.listened()

    def add_line(self, level: str, message: str, **params: str | int) -> None:
        """Add a line in the present step, and nothing else."""
        safe = {name: redact_text(storable(text)) if isinstance(text, str) else text for name, text in params.items()}
        db.session.add(
            RunLog(run_id=self.lease.run_id, at=clock.now(), level=LogLevel(level), message=message, params=safe)
        )

    def _note(self, kind: str, what: Any) -> None:
        """Of a run that is recorded: what it was handed here, for whoever replays it."""
        if self.run.keeps_answers:
            name = noted(kind)
            self.memo[name] = [*self.memo.get(name, ()), what]
            with self.lease.step(memo=dict(self.memo)):
                self._notice_cancel()

    def _notice_cancel(self) -> None:
        if db.session.scalar(select(Run.cancel_requested_at).where(Run.id == self.lease.run_id)) is not None:
            self.lease.notice_cancel()
