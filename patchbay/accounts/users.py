"""Users: signing in, making accounts, changing passwords, locking out.

One-time links live in `links`, API keys in `keys`.
"""

from collections.abc import Collection

from sqlalchemy import select

from patchbay import audit, clock, settings, signing, tenancy
from patchbay.accounts import passwords
from patchbay.accounts.brakes import PER_ACCOUNT, PER_ADDRESS, brake
from patchbay.alerts import inbox
from patchbay.audit import Deed
from patchbay.errors import N_, Conflict, Invalid, NotFound, Unauthenticated
from patchbay.models import Leaving, Role, User, db, new_id, transaction

DEMO_EMAIL = "demo@patchbay.local"


@tenancy.everyone()
def sign_in(email: str, password: str, address: str) -> User:
    """The user of these credentials. Raises Unauthenticated (the same for every reason) and TooManyRequests."""
    email = _as_stored(email)[:254]
    brake(PER_ADDRESS, "sign-in", address)
    brake(PER_ACCOUNT, "sign-in", email)
    user = demo_user() if email == DEMO_EMAIL and settings.current().sandbox else by_email(email)
    is_right = passwords.matches(user.password_hash if user else None, password)
    if user is None or not (is_right or _is_printed(user, password)) or not may_enter(user):
        audit.add(Deed.SIGN_IN_FAILED, user_id=user.id if user else None, email=email[:80])
        raise Unauthenticated(sentence=N_("E-mail or password is not right."))
    with transaction():
        if is_right and user.password_hash and passwords.is_outdated(user.password_hash):
            user.password_hash = passwords.hashed(password)
        _note_sign_in(user)
    return user


@tenancy.everyone()
def sign_in_demo() -> User:
    """The demo user, signed in without a password. Raises NotFound when the sandbox is off."""
    user = demo_user()
    with transaction():
        _note_sign_in(user)
    return user


def demo_user() -> User:
    """The demo account, made at first use. Raises NotFound when the sandbox is off."""
    if not settings.current().sandbox:
        raise NotFound("demo user")
    user = by_email(DEMO_EMAIL)
    return user or create_user(DEMO_EMAIL, settings.current().demo_password, Role.ADMIN)


def may_enter(user: User) -> bool:
    """Whether the account is open. That of the demo closes with the sandbox, to its keys and sessions too."""
    return user.is_active and (user.email != DEMO_EMAIL or settings.current().sandbox)


def by_email(email: str) -> User | None:
    """The user of that e-mail address."""
    return db.session.scalar(select(User).where(User.email == _as_stored(email)))


def by_id(user_id: str) -> User | None:
    """The user of that id."""
    return db.session.get(User, user_id)


def by_id_with_alerts(user_id: str) -> tuple[User, int] | None:
    """The user of that id, and how many alerts want their attention: in one query, for every page shows both."""
    row = db.session.execute(
        select(User, inbox.counting_open(user_id).scalar_subquery()).where(User.id == user_id)
    ).one_or_none()
    return None if row is None else (row[0], row[1])


def emails_of(user_ids: Collection[str]) -> dict[str, str]:
    """The e-mail addresses of these users, by their ids; what is no user's id is left out."""
    rows = db.session.execute(select(User.id, User.email).where(User.id.in_(user_ids)))
    return {row.id: row.email for row in rows}


def create_user(email: str, password: str, role: Role) -> User:
    """Make an account. Raises Invalid (email, password) and Conflict when the address is taken."""
    email = checked_email(email)
    passwords.check_password(password)
    with transaction() as session:
        if by_email(email) is not None:
            raise Conflict(sentence=N_("There is an account with this e-mail address already."))
        user = User(
            id=new_id("usr"),
            email=email,
            password_hash=passwords.hashed(password),
            role=role,
            created_at=clock.now(),
        )
        session.add(user)
        audit.add(Deed.USER_CREATED, user_id=user.id, subject_id=user.id, role=role.value)
    return user


def change_password(user: User, present: str, new: str) -> None:
    """Change the own password; all other sessions end. Raises Invalid, TooManyRequests."""
    brake(PER_ACCOUNT, "password", user.id)
    if not passwords.matches(user.password_hash, present):
        raise Invalid({"present": N_("This is not your present password.")})
    passwords.check_password(new)
    set_password(user, new)


def choose_language(user: User, language: str | None) -> None:
    """Keep the language that the user wants to read, whatever browser they use; None follows the browser."""
    with transaction():
        user.language = language


def users(*, cursor: str | None, limit: int) -> tuple[list[User], str | None]:
    """All users by id, and the cursor of the next page."""
    statement = select(User).order_by(User.id).limit(limit + 1)
    if cursor:
        statement = statement.where(User.id > cursor)
    found = list(db.session.scalars(statement))
    return found[:limit], found[limit - 1].id if len(found) > limit else None


def set_active(admin: User, user_id: str, *, active: bool) -> User:
    """Let a user in or lock them out; their sessions end. Raises NotFound, Conflict for oneself."""
    with transaction() as session:
        user = db.session.get(User, user_id)
        if user is None:
            raise NotFound(user_id)
        if user.id == admin.id:
            raise Conflict(sentence=N_("You cannot lock yourself out."))
        if active and session.scalar(select(Leaving.id).where(Leaving.user_id == user_id)) is not None:
            raise Conflict(sentence=N_("This account is being deleted."))
        user.is_active = active
        user.epoch += 1
        audit.add(Deed.USER_CHANGED, user_id=user.id, subject_id=user.id, active=str(active).lower())
    return user


def set_password(user: User, password: str) -> None:
    """Store a new password and end all sessions of the user."""
    with transaction():
        user.password_hash = passwords.hashed(password)
        user.epoch += 1
        audit.add(Deed.PASSWORD_CHANGED, user_id=user.id, subject_id=user.id)


def _is_printed(user: User, password: str) -> bool:
    """Whether this is the password that is printed for the demo account, which the account may be older than."""
    return user.email == DEMO_EMAIL and signing.equal(password, settings.current().demo_password)


def _note_sign_in(user: User) -> None:
    user.last_signed_in_at = clock.now()
    audit.add(Deed.SIGNED_IN, user_id=user.id, subject_id=user.id, by=user.id)


def checked_email(email: str) -> str:
    """The address in its stored form. Raises Invalid."""
    email = _as_stored(email)
    name, at, host = email.partition("@")
    if not (name and at and host) or len(email) > 254 or any(c.isspace() for c in email) or "@" in host:
        raise Invalid({"email": N_("Enter an e-mail address.")})
    return email


def _as_stored(email: str) -> str:
    """Lower case, and without the character that PostgreSQL cannot even look for."""
    return email.replace("\x00", "").strip().lower()
