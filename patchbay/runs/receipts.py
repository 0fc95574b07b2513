"""Receipts of a run: what it has sent that must not be sent twice, and what a run that is tried again inherits of them.

When a receipt is written and what follows from it is decided in `patchbay.client.once`.
"""

from typing import Any

from sqlalchemy import delete, select

from patchbay import clock
from patchbay.client import Kept
from patchbay.models import Receipt, ReceiptState, Run, db, new_id


def find(run_id: str, name: str) -> Kept | None:
    """The receipt of that step, if there is one."""
    found = _find(run_id, name)
    return Kept(found.state, found.answer) if found is not None else None


def write_sent(run: Run, name: str, fingerprint: str) -> None:
    """In the present transaction: the step's request goes out now, for the first time or once more."""
    found = _find(run.id, name) or Receipt(id=new_id("rct"), user_id=run.user_id, run_id=run.id, name=name)
    found.state, found.fingerprint, found.answer = ReceiptState.SENT, fingerprint, None
    found.sent_at, found.settled_at = clock.now(), None
    db.session.add(found)


def settle(run: Run, name: str, state: ReceiptState, answer: Any) -> None:
    """In the present transaction: what is known of the outcome; also of a step that needed nothing to be sent."""
    now = clock.now()
    found = _find(run.id, name)
    if found is None:
        found = Receipt(id=new_id("rct"), user_id=run.user_id, run_id=run.id, name=name, fingerprint="", sent_at=now)
    found.state, found.answer, found.settled_at = state, answer, now
    db.session.add(found)


def withdraw(run_id: str, name: str) -> None:
    """In the present transaction: the platform refused it, so that nothing was done."""
    db.session.execute(delete(Receipt).where(Receipt.run_id == run_id, Receipt.name == name))


def are_open(run_id: str) -> bool:
    """Whether the run has sent something and nobody knows yet what became of it."""
    is_open = (Receipt.run_id == run_id, Receipt.state.in_((ReceiptState.SENT, ReceiptState.UNKNOWN)))
    return db.session.scalar(select(Receipt.id).where(*is_open).limit(1)) is not None


def hand_over(old: Run, new: Run) -> None:
    """In the present transaction: let the new run know what the old one has sent.

    Its owner was told of what is not known, and asks for another try all the same.
    """
    for receipt in db.session.scalars(select(Receipt).where(Receipt.run_id == old.id)):
        state = receipt.state if receipt.state is ReceiptState.DONE else ReceiptState.ASKED
        db.session.add(
            Receipt(
                id=new_id("rct"),
                user_id=new.user_id,
                run_id=new.id,
                name=receipt.name,
                state=state,
                fingerprint=receipt.fingerprint,
                answer=receipt.answer,
                sent_at=receipt.sent_at,
                settled_at=receipt.settled_at,
            )
        )


def _find(run_id: str, name: str) -> Receipt | None:
    wanted = select(Receipt).where(Receipt.run_id == run_id, Receipt.name == name)
    return db.session.scalar(wanted.execution_options(populate_existing=True))
