"""People and their ways in: passwords, one-time links, API keys, and the brake on guessing.

What does not live here: sessions and cookies, which are the web's (`blueprints.guards`).
"""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import timedelta
from functools import cache

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError
from limits import RateLimitItem, RateLimitItemPerMinute, parse
from limits.storage import MemoryStorage, RedisStorage, Storage
from limits.strategies import SlidingWindowCounterRateLimiter
from redis.exceptions import RedisError
from sqlalchemy import select, update

from patchbay import audit, clock, queue, settings, signing
from patchbay.audit import Deed
from patchbay.errors import N_, Conflict, Invalid, NotFound, TooManyRequests, Unauthenticated
from patchbay.models import ApiKey, LinkKind, OneTimeLink, Role, User, db, new_id, transaction

DEMO_EMAIL = "demo@patchbay.local"
LINK_LIFETIME = timedelta(days=3)
SHORTEST_PASSWORD = 10
SCOPES = (
    "integrations:read",
    "integrations:write",
    "runs:read",
    "runs:write",
    "records:read",
    "assets:read",
    "assets:write",
    "webhooks:read",
    "webhooks:write",
    "events:write",
    "admin",
)
PER_ACCOUNT = parse("10 per 15 minutes")
PER_ADDRESS = RateLimitItemPerMinute(30)
_hasher = PasswordHasher()


@dataclass(frozen=True)
class NewKey:
    """A key at the one moment when its text is known."""

    row: ApiKey
    text: str


def sign_in(email: str, password: str, address: str) -> User:
    """The user of these credentials. Raises Unauthenticated (the same for every reason) and TooManyRequests."""
    email = email.strip().lower()[:254]
    brake(PER_ADDRESS, "sign-in", address)
    brake(PER_ACCOUNT, "sign-in", email)
    user = db.session.scalar(select(User).where(User.email == email))
    if not _matches(user.password_hash if user else None, password) or user is None or not user.is_active:
        audit.add(Deed.SIGN_IN_FAILED, user_id=user.id if user else None, email=email[:80])
        raise Unauthenticated(sentence=N_("E-mail or password is not right."))
    with transaction():
        if user.password_hash and _hasher.check_needs_rehash(user.password_hash):
            user.password_hash = _hasher.hash(password)
        user.last_signed_in_at = clock.now()
        audit.add(Deed.SIGNED_IN, user_id=user.id, subject_id=user.id)
    return user


def brake(limit: RateLimitItem, *who: str) -> None:
    """Count an attempt against a limit. Raises TooManyRequests when it is used up."""
    try:
        allowed = _limiter().hit(limit, *who)
    except RedisError:
        return  # a lost Redis must not lock everybody out; argon2 slows guessing all the same
    if not allowed:
        raise TooManyRequests(retry_after_s=limit.get_expiry())


def demo_user() -> User:
    """The demo account, made at first use. Raises NotFound when the sandbox is off."""
    if not settings.current().sandbox:
        raise NotFound("demo user")
    user = by_email(DEMO_EMAIL)
    return user or create_user(DEMO_EMAIL, settings.current().demo_password, Role.ADMIN)


def by_email(email: str) -> User | None:
    """The user of that e-mail address."""
    return db.session.scalar(select(User).where(User.email == email.strip().lower()))


def by_id(user_id: str) -> User | None:
    """The user of that id."""
    return db.session.get(User, user_id)


def create_user(email: str, password: str, role: Role) -> User:
    """Make an account. Raises Invalid (email, password) and Conflict when the address is taken."""
    email = _checked_email(email)
    _check_password(password)
    with transaction() as session:
        if by_email(email) is not None:
            raise Conflict(sentence=N_("There is an account with this e-mail address already."))
        user = User(
            id=new_id("usr"),
            email=email,
            password_hash=_hasher.hash(password),
            role=role,
            created_at=clock.now(),
        )
        session.add(user)
        audit.add(Deed.USER_CREATED, user_id=user.id, subject_id=user.id, role=role.value)
    return user


def change_password(user: User, present: str, new: str) -> None:
    """Change the own password; all other sessions end. Raises Invalid, TooManyRequests."""
    brake(PER_ACCOUNT, "password", user.id)
    if not _matches(user.password_hash, present):
        raise Invalid({"present": N_("This is not your present password.")})
    _check_password(new)
    _set_password(user, new)


def users(*, cursor: str | None, limit: int) -> tuple[list[User], str | None]:
    """All users by id, and the cursor of the next page."""
    statement = select(User).order_by(User.id).limit(limit + 1)
    if cursor:
        statement = statement.where(User.id > cursor)
    found = list(db.session.scalars(statement))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def set_active(admin: User, user_id: str, *, active: bool) -> User:
    """Let a user in or lock them out; their sessions end. Raises NotFound, Conflict for oneself."""
    with transaction():
        user = db.session.get(User, user_id)
        if user is None:
            raise NotFound(user_id)
        if user.id == admin.id:
            raise Conflict(sentence=N_("You cannot lock yourself out."))
        user.is_active = active
        user.epoch += 1
        audit.add(Deed.USER_CHANGED, user_id=user.id, subject_id=user.id, active=str(active).lower())
    return user


def invite(admin: User, email: str, role: Role) -> str:
    """A one-time link's token that makes an account. Raises Invalid, Conflict."""
    email = _checked_email(email)
    if by_email(email) is not None:
        raise Conflict(sentence=N_("There is an account with this e-mail address already."))
    return _new_link(admin, LinkKind.INVITATION, email, role)


def offer_reset(admin: User, user_id: str) -> str:
    """A one-time link's token by which a user sets a new password. Raises NotFound."""
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound(user_id)
    return _new_link(admin, LinkKind.PASSWORD_RESET, user.email, user.role)


def open_link(token: str) -> OneTimeLink:
    """The link behind a token. Raises NotFound when it is unknown, used or older than three days."""
    link = db.session.scalar(select(OneTimeLink).where(OneTimeLink.token_hash == signing.hash_token(token)))
    if link is None or link.used_at is not None or link.expires_at <= clock.now():
        raise NotFound("link", sentence=N_("This link has been used or has expired. Ask for a new one."))
    return link


def use_link(token: str, password: str) -> User:
    """Set the password that the link is for, making the account of an invitation. Raises NotFound, Invalid."""
    _check_password(password)
    with transaction() as session:
        link = open_link(token)
        used = session.execute(
            update(OneTimeLink)
            .where(OneTimeLink.id == link.id, OneTimeLink.used_at.is_(None))
            .values(used_at=clock.now())
        )
        user = by_email(link.email)
        if used.rowcount != 1:  # type: ignore[attr-defined]  # an UPDATE's result has it
            raise NotFound("link", sentence=N_("This link has been used or has expired. Ask for a new one."))
        if user is None:
            return create_user(link.email, password, link.role)
        if link.kind is LinkKind.INVITATION:
            raise Conflict(sentence=N_("There is an account with this e-mail address already."))
        _set_password(user, password)
    return user


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
    if key is None or key.revoked_at is not None or user is None or not user.is_active:
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
    with transaction():
        key.last_used_at = now
        if is_new:
            key.addresses = [*key.addresses, address][-50:]
            audit.add(Deed.KEY_USED_FROM_NEW_ADDRESS, user_id=key.user_id, subject_id=key.id, address=address)


def _new_link(admin: User, kind: LinkKind, email: str, role: Role) -> str:
    token = signing.new_token()
    now = clock.now()
    with transaction() as session:
        session.add(
            OneTimeLink(
                id=new_id("lnk"),
                kind=kind,
                token_hash=signing.hash_token(token),
                email=email,
                role=role,
                created_by=admin.id,
                created_at=now,
                expires_at=now + LINK_LIFETIME,
            )
        )
        deed = Deed.USER_INVITED if kind is LinkKind.INVITATION else Deed.PASSWORD_RESET_OFFERED
        audit.add(deed, user_id=admin.id, email=email)
    return token


def _set_password(user: User, password: str) -> None:
    with transaction():
        user.password_hash = _hasher.hash(password)
        user.epoch += 1
        audit.add(Deed.PASSWORD_CHANGED, user_id=user.id, subject_id=user.id)


def _checked_email(email: str) -> str:
    email = email.strip().lower()
    name, at, host = email.partition("@")
    if not (name and at and host) or len(email) > 254 or any(c.isspace() for c in email) or "@" in host:
        raise Invalid({"email": N_("Enter an e-mail address.")})
    return email


def _check_password(password: str) -> None:
    if not SHORTEST_PASSWORD <= len(password) <= 200:
        raise Invalid({"password": N_("Use at least 10 characters, at most 200.")})


def _matches(password_hash: str | None, password: str) -> bool:
    """Check a password; without an account a dummy is checked, so that both take the same time."""
    try:
        return _hasher.verify(password_hash or _dummy_hash(), password) and password_hash is not None
    except (VerificationError, InvalidHashError):
        return False


@cache
def _dummy_hash() -> str:
    return _hasher.hash(signing.new_token())


@cache
def _limiter() -> SlidingWindowCounterRateLimiter:
    """Counts in Redis, so that all web processes count together."""
    url = settings.current().redis_url
    storage: Storage
    if url.startswith("memory:"):
        storage = MemoryStorage()
    else:
        storage = RedisStorage("redis://", connection_pool=queue.redis().connection_pool)
    return SlidingWindowCounterRateLimiter(storage)
