"""Deleting an account: locked at once, its connections ended at their platforms, then all of its rows and files.

The row in `leavings` says that it is to go; whoever carries it out may be killed at any step, and the next goes on.
"""

from datetime import timedelta

import structlog
from sqlalchemy import delete, func, select, update

from patchbay import audit, clock, connections, queue, tenancy
from patchbay.accounts import brakes, exports, passwords
from patchbay.accounts.lease import Lease, LeaseLost
from patchbay.accounts.users import DEMO_EMAIL
from patchbay.assets import keeping
from patchbay.audit import Deed
from patchbay.errors import N_, Conflict, Invalid, NotFound
from patchbay.leases import is_free
from patchbay.models import ApiKey, Connection, ConnectionState, Leaving, Role, User, db, new_id, transaction

log = structlog.get_logger()

LEASE = timedelta(minutes=5)


def ask_for_oneself(user: User, password: str) -> None:
    """Have the account deleted; nobody is signed in with it from now on.

    Raises Invalid (password), Conflict, TooManyRequests.
    """
    brakes.brake(brakes.PER_ACCOUNT, "password", user.id)
    if not passwords.matches(user.password_hash, password):
        raise Invalid({"password": N_("This is not your password.")})
    ask(user.id, asked_by=user.id)


def ask(user_id: str, *, asked_by: str) -> None:
    """Lock the account and have it deleted. Raises NotFound; Conflict for the demo account, the last administrator."""
    with tenancy.everyone(), transaction() as session:
        user = session.get(User, user_id, populate_existing=True)
        if user is None:
            raise NotFound(user_id)
        _check_may_go(user)
        if session.scalar(select(Leaving.id).where(Leaving.user_id == user_id)) is not None:
            return
        user.is_active, user.epoch = False, user.epoch + 1
        session.execute(
            update(ApiKey).where(ApiKey.user_id == user_id, ApiKey.revoked_at.is_(None)).values(revoked_at=clock.now()),
            execution_options={"synchronize_session": False},
        )
        leaving = Leaving(id=new_id("lvg"), user_id=user_id, asked_by=asked_by, created_at=clock.now())
        session.add(leaving)
        audit.add(Deed.ACCOUNT_ENDING, user_id=user_id, subject_id=user_id)
        queue.enqueue(queue.LEAVE, leaving.id)


def due(limit: int = 100) -> list[str]:
    """Ids of what is to be carried out, or was left by a crash."""
    statement = select(Leaving.id).where(is_free(Leaving.lease_until, LEASE)).order_by(Leaving.id).limit(limit)
    return list(db.session.scalars(statement))


def carry_out(leaving_id: str) -> None:
    """End each connection that is not ended, then delete all that is left in one transaction, and the files of it."""
    lease = Lease.claim(Leaving, leaving_id, LEASE)
    if lease is None:
        return
    try:
        _end_account(db.session.get_one(Leaving, leaving_id).user_id, lease)
    except LeaseLost:
        log.warning("The deletion of an account was taken over.", leaving_id=leaving_id)


def _end_account(user_id: str, lease: Lease) -> None:
    for connection in list(connections.of_user(user_id).values()):
        if connection.state is not ConnectionState.DISCONNECTED:
            lease.renew()
            connections.disconnect(user_id, connection.integration_id)
    exports.forget_all(user_id)
    with lease.step():
        named = keeping.files_of(user_id)
        # The connections first: what hangs on them is found by their indexes, not once more by the user's.
        db.session.execute(delete(Connection).where(Connection.user_id == user_id))
        db.session.execute(delete(User).where(User.id == user_id))
        audit.add(Deed.ACCOUNT_DELETED, user_id=user_id, subject_id=user_id)
    keeping.remove_unnamed(named)


def _check_may_go(user: User) -> None:
    if user.email == DEMO_EMAIL:
        raise Conflict(sentence=N_("The demo account comes with the sandbox and cannot be deleted."))
    others = select(func.count()).where(User.role == Role.ADMIN, User.is_active.is_(True), User.id != user.id)
    if user.role is Role.ADMIN and not db.session.scalar(others):
        raise Conflict(sentence=N_("The last administrator cannot be deleted. Make somebody else one first."))
