"""API keys: programmatic logins with scopes, of which only the hash is kept."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta

from sqlalchemy import select
from sqlalchemy.exc import SQLAlchemyError

from patchbay import audit, clock, signing
from patchbay.accounts.users import may_enter
from patchbay.audit import Deed
from patchbay.errors import N_, Invalid, NotFound, Unauthenticated
from patchbay.models import ApiKey, User, db, new_id, transaction
from patchbay.models.outage import outage

SCOPES = (
    "integrations:read",
    "integrations:write",
    "runs:read",
    "runs:write",
    "records:read",
    "assets:read",
    "assets:write",
    "alerts:read",
    "alerts:write",
    "webhooks:read",
    "webhooks:write",
    "events:write",
    "admin",
)


@dataclass(frozen=True)
class NewKey:
    """A key at the one moment when its text is known."""

    row: ApiKey
    text: str


def create_key(user: User, name: str, scopes: Sequence[str]) -> NewKey:
    """Make an API key. Raises Invalid for an empty name and for scopes that do not exist or exceed the user's own."""
    problems = {}
    if not name.strip() or len(name) > 80:
        problems["name"] = N_("Give the key a name of at most 80 characters.")
    if not scopes or not set(scopes) <= {*SCOPES, "*"}:
        problems["scopes"] = N_("Choose from the known scopes.")
    elif "admin" in scopes and not user.is_admin:
        problems["scopes"] = N_("Only administrators may give the scope admin.")
    if problems:
        raise Invalid(problems)
    text = signing.new_token("pb_")
    row = ApiKey(
        id=new_id("key"),
        user_id=user.id,
        name=name.strip(),
        key_hash=signing.hash_token(text),
        tail=text[-4:],
        scopes=sorted(set(scopes)),
        created_at=clock.now(),
    )
    with transaction() as session:
        session.add(row)
        audit.add(Deed.KEY_CREATED, user_id=user.id, subject_id=row.id, scopes=" ".join(row.scopes))
    return NewKey(row, text)


def keys(user_id: str, *, cursor: str | None, limit: int) -> tuple[list[ApiKey], str | None]:
    """The user's keys, newest first, and the cursor of the next page."""
    statement = select(ApiKey).where(ApiKey.user_id == user_id).order_by(ApiKey.id.desc()).limit(limit + 1)
    if cursor:
        statement = statement.where(ApiKey.id < cursor)
    found = list(db.session.scalars(statement))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def revoke_key(user_id: str, key_id: str) -> None:
    """End a key for good. Raises NotFound."""
    with transaction():
        key = db.session.get(ApiKey, key_id)
        if key is None or key.user_id != user_id:
            raise NotFound(key_id)
        if key.revoked_at is None:
            key.revoked_at = clock.now()
            audit.add(Deed.KEY_REVOKED, user_id=user_id, subject_id=key.id)


def authenticate_key(text: str, address: str) -> tuple[User, ApiKey]:
    """Who the key belongs to. Raises Unauthenticated; notes the first use from an address."""
    key = db.session.scalar(select(ApiKey).where(ApiKey.key_hash == signing.hash_token(text)))
    user = db.session.get(User, key.user_id) if key is not None else None
    if key is None or key.revoked_at is not None or user is None or not may_enter(user):
        if key is not None:
            audit.add(Deed.KEY_REFUSED, user_id=key.user_id, subject_id=key.id, address=address)
        raise Unauthenticated()
    _note_use(key, address)
    return user, key


def allows(key: ApiKey, user: User, scope: str) -> bool:
    """Whether the key covers the scope; `*` covers all that its user may do."""
    if scope == "admin" and not user.is_admin:
        return False
    return scope in key.scopes or "*" in key.scopes


def _note_use(key: ApiKey, address: str) -> None:
    """Keep when and from where a key is used, at most once a minute."""
    now = clock.now()
    is_new = address not in key.addresses
    if not is_new and key.last_used_at is not None and now - key.last_used_at < timedelta(minutes=1):
        return
    try:
        with transaction():
            key.last_used_at = now
            if is_new:
                key.addresses = [*key.addresses, address][-50:]
                audit.add(Deed.KEY_USED_FROM_NEW_ADDRESS, user_id=key.user_id, subject_id=key.id, address=address)
    except SQLAlchemyError as error:
        if is_new or outage(error) is None:
            raise  # of a known address it is noted the next time, and whoever only reads can go on
