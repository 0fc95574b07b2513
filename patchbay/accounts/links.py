"""One-time links, by which an administrator invites people or lets them set a new password."""

from datetime import timedelta

from sqlalchemy import select, update

from patchbay import audit, clock, signing, tenancy
from patchbay.accounts.passwords import check_password
from patchbay.accounts.users import by_email, checked_email, create_user, set_password
from patchbay.audit import Deed
from patchbay.errors import N_, Conflict, NotFound
from patchbay.models import LinkKind, OneTimeLink, Role, User, db, new_id, transaction, update_one

LINK_LIFETIME = timedelta(days=3)


def invite(admin: User, email: str, role: Role) -> str:
    """A one-time link's token that makes an account. Raises Invalid, Conflict."""
    email = checked_email(email)
    if by_email(email) is not None:
        raise Conflict(sentence=N_("There is an account with this e-mail address already."))
    return _new_link(admin, LinkKind.INVITATION, email, role)


def offer_reset(admin: User, user_id: str) -> str:
    """A one-time link's token by which a user sets a new password. Raises NotFound."""
    user = db.session.get(User, user_id)
    if user is None:
        raise NotFound(user_id)
    return _new_link(admin, LinkKind.PASSWORD_RESET, user.email, user.role)


@tenancy.everyone()
def open_link(token: str) -> OneTimeLink:
    """The link behind a token. Raises NotFound when it is unknown, used or older than three days."""
    link = db.session.scalar(select(OneTimeLink).where(OneTimeLink.token_hash == signing.hash_token(token)))
    if link is None or link.used_at is not None or link.expires_at <= clock.now():
        raise NotFound("link", sentence=N_("This link has been used or has expired. Ask for a new one."))
    return link


@tenancy.everyone()
def use_link(token: str, password: str) -> User:
    """Set the password that the link is for, making the account of an invitation. Raises NotFound, Invalid."""
    check_password(password)
    with transaction():
        link = open_link(token)
        unused = (OneTimeLink.id == link.id, OneTimeLink.used_at.is_(None))
        if not update_one(update(OneTimeLink).where(*unused).values(used_at=clock.now())):
            raise NotFound("link", sentence=N_("This link has been used or has expired. Ask for a new one."))
        user = by_email(link.email)
        if user is None:
            return create_user(link.email, password, link.role)
        if link.kind is LinkKind.INVITATION:
            raise Conflict(sentence=N_("There is an account with this e-mail address already."))
        set_password(user, password)
    return user


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
