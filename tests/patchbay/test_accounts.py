"""People and their ways in: passwords, the brake on guessing, one-time links, API keys."""

import time
from collections.abc import Callable

import pytest
from flask import Flask
from sqlalchemy import select

from patchbay import accounts, audit, signing
from patchbay.accounts import passwords
from patchbay.errors import Conflict, Invalid, NotFound, TooManyRequests, Unauthenticated
from patchbay.models import ApiKey, AuditEntry, OneTimeLink, Role, User, db, transaction
from patchbay.settings import Settings
from tests.servers import RedisServer
from tests.stage import PASSWORD, FrozenClock, at_once

pytestmark = pytest.mark.usefixtures("context")

HERE = "192.0.2.1"
NEW = "another long password"


def deeds() -> list[str]:
    return list(db.session.scalars(select(AuditEntry.action).order_by(AuditEntry.id)))


def mine(user: User) -> User:
    """The user as a row of this session."""
    return db.session.get_one(User, user.id)


# -- signing in


def test_the_right_password_signs_in(ada: User, frozen_clock: FrozenClock) -> None:
    user = accounts.sign_in(" ADA@example.org ", PASSWORD, HERE)

    assert user.id == ada.id
    assert user.last_signed_in_at == frozen_clock.now()
    assert deeds()[-1] == "signed_in"


@pytest.mark.parametrize(
    ("email", "password"),
    [("ada@example.org", "wrong"), ("ada@example.org", ""), ("nobody@example.org", PASSWORD), ("", ""), ("\x00", "x")],
)
def test_wrong_credentials_all_sound_the_same(email: str, password: str) -> None:
    with pytest.raises(Unauthenticated) as refused:
        accounts.sign_in(email, password, HERE)

    assert refused.value.sentence == "E-mail or password is not right."
    assert deeds()[-1] == "sign_in_failed"


def test_a_locked_out_user_cannot_sign_in(ada: User, ben: User) -> None:
    accounts.set_active(mine(ada), ben.id, active=False)

    with pytest.raises(Unauthenticated):
        accounts.sign_in(ben.email, PASSWORD, HERE)


def test_an_unknown_address_takes_as_long_as_a_known_one(ada: User) -> None:
    def duration(email: str) -> float:
        began = time.process_time()
        with pytest.raises(Unauthenticated):
            accounts.sign_in(email, "wrong password", HERE)
        return time.process_time() - began

    duration("warming.up@example.org")
    known, unknown = (min(duration(email) for _ in range(3)) for email in (ada.email, "nobody@example.org"))

    assert unknown > known / 2


def test_guessing_at_one_account_is_braked(ada: User) -> None:
    for number in range(10):
        with pytest.raises(Unauthenticated):
            accounts.sign_in(ada.email, "wrong", f"192.0.2.{number}")

    with pytest.raises(TooManyRequests) as braked:
        accounts.sign_in(ada.email, PASSWORD, HERE)

    assert braked.value.retry_after_s == 15 * 60


def test_guessing_from_one_address_is_braked(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "matches", lambda *_: False)  # hashing 30 times would only take time
    for number in range(30):
        with pytest.raises(Unauthenticated):
            accounts.sign_in(f"user{number}@example.org", "wrong", HERE)

    with pytest.raises(TooManyRequests):
        accounts.sign_in("another@example.org", "wrong", HERE)


def test_a_lost_redis_locks_nobody_out(ada: User, redis_server: RedisServer) -> None:
    redis_server.stop()

    assert accounts.sign_in(ada.email, PASSWORD, HERE).id == ada.id


# -- accounts


@pytest.mark.parametrize("email", ["", "x", "@", "a@", "@b", "a b@c.org", "a@b@c", "a" * 250 + "@b.org", "a\n@b.org"])
def test_an_address_that_is_none_is_refused(email: str) -> None:
    with pytest.raises(Invalid) as refused:
        accounts.create_user(email, PASSWORD, Role.MEMBER)

    assert list(refused.value.fields) == ["email"]


@pytest.mark.parametrize("password", ["", "short", "a" * 9, "a" * 201])
def test_a_password_too_short_or_too_long_is_refused(password: str) -> None:
    with pytest.raises(Invalid) as refused:
        accounts.create_user("dora@example.org", password, Role.MEMBER)

    assert list(refused.value.fields) == ["password"]


def test_an_address_is_taken_once_however_it_is_written() -> None:
    with pytest.raises(Conflict):
        accounts.create_user(" Ada@EXAMPLE.org", PASSWORD, Role.MEMBER)


def test_passwords_are_kept_as_argon2id(ada: User) -> None:
    assert str(ada.password_hash).startswith("$argon2id$")


def test_changing_the_password_ends_all_sessions(ada: User) -> None:
    epoch = ada.epoch

    accounts.change_password(mine(ada), PASSWORD, NEW)

    assert mine(ada).epoch == epoch + 1
    assert accounts.sign_in(ada.email, NEW, HERE).id == ada.id
    assert "password_changed" in deeds()


def test_changing_the_password_needs_the_present_one(ada: User) -> None:
    with pytest.raises(Invalid) as refused:
        accounts.change_password(mine(ada), "wrong", NEW)

    assert list(refused.value.fields) == ["present"]


def test_guessing_the_present_password_is_braked(ada: User, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(passwords, "matches", lambda *_: False)
    for _ in range(10):
        with pytest.raises(Invalid):
            accounts.change_password(mine(ada), "wrong", NEW)

    with pytest.raises(TooManyRequests):
        accounts.change_password(mine(ada), "wrong", NEW)


def test_locking_out_ends_sessions_and_can_be_undone(ada: User, ben: User) -> None:
    epoch = ben.epoch
    accounts.set_active(mine(ada), ben.id, active=False)

    user = accounts.set_active(mine(ada), ben.id, active=True)

    assert user.is_active
    assert user.epoch == epoch + 2
    assert deeds()[-2:] == ["user_changed", "user_changed"]


def test_nobody_locks_themselves_out(ada: User) -> None:
    with pytest.raises(Conflict):
        accounts.set_active(mine(ada), ada.id, active=False)


def test_locking_out_somebody_who_is_not_there_is_not_found(ada: User) -> None:
    with pytest.raises(NotFound):
        accounts.set_active(mine(ada), "usr_nobody", active=False)


def test_users_come_in_pages() -> None:
    first, cursor = accounts.users(cursor=None, limit=2)
    second, end = accounts.users(cursor=cursor, limit=2)

    assert [user.email[:4] for user in first + second] == ["ada@", "ben@", "cleo"]
    assert end is None


def test_the_demo_user_is_made_once() -> None:
    assert accounts.demo_user().id == accounts.demo_user().id


def test_the_demo_password_signs_in_at_once_and_after_it_was_changed(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask]
) -> None:
    for password in ("a printed password", "another printed one"):
        with app_for(settings_for(DEMO_PASSWORD=password)).app_context():
            assert accounts.sign_in(accounts.DEMO_EMAIL, password, HERE).email == accounts.DEMO_EMAIL


def test_without_the_sandbox_the_demo_account_is_closed_to_password_and_key(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask]
) -> None:
    with app_for(settings_for(DEMO_PASSWORD=PASSWORD)).app_context():
        key = accounts.create_key(accounts.demo_user(), "while it was on", ["*"])

    with app_for(settings_for(DEMO_PASSWORD=PASSWORD, SANDBOX="off")).app_context():
        with pytest.raises(Unauthenticated):
            accounts.sign_in(accounts.DEMO_EMAIL, PASSWORD, HERE)
        with pytest.raises(Unauthenticated):
            accounts.authenticate_key(key.text, HERE)


def test_without_the_sandbox_there_is_no_demo_user(
    settings_for: Callable[..., Settings], app_for: Callable[[Settings], Flask]
) -> None:
    with app_for(settings_for(SANDBOX="off")).app_context(), pytest.raises(NotFound):
        accounts.demo_user()


# -- one-time links


def test_an_invitation_makes_an_account_once(ada: User) -> None:
    token = accounts.invite(ada, "dora@example.org", Role.MEMBER)

    user = accounts.use_link(token, NEW)

    assert (user.email, user.role) == ("dora@example.org", Role.MEMBER)
    with pytest.raises(NotFound):
        accounts.use_link(token, NEW)


def test_a_link_used_by_two_at_once_works_for_one(ada: User, app: Flask) -> None:
    token = accounts.invite(ada, "dora@example.org", Role.MEMBER)

    def use() -> bool:
        try:
            accounts.use_link(token, NEW)
        except (NotFound, Conflict):
            return False
        return True

    assert sorted(at_once(app, [use] * 4)) == [False, False, False, True]


def test_only_the_hash_of_a_link_is_kept(ada: User) -> None:
    token = accounts.invite(ada, "dora@example.org", Role.MEMBER)

    rows = [*db.session.scalars(select(OneTimeLink)), *db.session.scalars(select(AuditEntry))]

    assert token not in " ".join(str(vars(row)) for row in rows)


def test_a_link_ends_after_three_days(ada: User, frozen_clock: FrozenClock) -> None:
    token = accounts.invite(ada, "dora@example.org", Role.MEMBER)
    frozen_clock.advance(days=3)

    with pytest.raises(NotFound):
        accounts.open_link(token)


@pytest.mark.parametrize("token", ["", "made-up", "\x00"])
def test_an_unknown_link_is_not_found(token: str) -> None:
    with pytest.raises(NotFound):
        accounts.open_link(token)


def test_a_weak_password_does_not_use_the_link_up(ada: User) -> None:
    token = accounts.invite(ada, "dora@example.org", Role.MEMBER)
    with pytest.raises(Invalid):
        accounts.use_link(token, "short")

    assert accounts.use_link(token, NEW).email == "dora@example.org"


def test_somebody_with_an_account_is_not_invited(ada: User) -> None:
    with pytest.raises(Conflict):
        accounts.invite(ada, "BEN@example.org", Role.MEMBER)


def test_an_invitation_does_not_change_an_account_made_meanwhile(ada: User) -> None:
    token = accounts.invite(ada, "dora@example.org", Role.ADMIN)
    accounts.create_user("dora@example.org", PASSWORD, Role.MEMBER)

    with pytest.raises(Conflict):
        accounts.use_link(token, NEW)

    assert accounts.sign_in("dora@example.org", PASSWORD, HERE).role is Role.MEMBER


def test_a_reset_sets_the_password_and_ends_sessions(ada: User, ben: User) -> None:
    epoch = ben.epoch

    accounts.use_link(accounts.offer_reset(ada, ben.id), NEW)

    assert accounts.sign_in(ben.email, NEW, HERE).epoch == epoch + 1
    assert {"password_reset_offered", "password_changed"} <= set(deeds())


# -- API keys


def test_a_key_speaks_for_its_user(ada: User) -> None:
    made = accounts.create_key(ada, " a script ", ["runs:read"])

    user, key = accounts.authenticate_key(made.text, HERE)

    assert made.text.startswith("pb_")
    assert (user.id, key.name, key.tail) == (ada.id, "a script", made.text[-4:])


def test_only_the_hash_of_a_key_is_kept(ada: User) -> None:
    made = accounts.create_key(ada, "a script", ["*"])

    assert made.text not in str(vars(made.row))
    assert made.row.key_hash == signing.hash_token(made.text)


@pytest.mark.parametrize("scopes", [[], ["everything"], ["runs:read", "nothing"], [""]])
def test_unknown_scopes_are_refused(ada: User, scopes: list[str]) -> None:
    with pytest.raises(Invalid) as refused:
        accounts.create_key(ada, "a script", scopes)

    assert list(refused.value.fields) == ["scopes"]


@pytest.mark.parametrize("name", ["", "   ", "a" * 81])
def test_a_key_needs_a_name(ada: User, name: str) -> None:
    with pytest.raises(Invalid) as refused:
        accounts.create_key(ada, name, ["*"])

    assert list(refused.value.fields) == ["name"]


def test_a_member_cannot_give_the_scope_admin(ben: User) -> None:
    with pytest.raises(Invalid):
        accounts.create_key(ben, "a script", ["admin"])


def test_a_key_covers_its_scopes_and_no_more(ada: User) -> None:
    key = accounts.create_key(ada, "a script", ["runs:read"]).row

    assert accounts.allows(key, ada, "runs:read")
    assert not accounts.allows(key, ada, "runs:write")
    assert not accounts.allows(key, ada, "admin")


def test_the_star_covers_what_its_user_may(ada: User, ben: User) -> None:
    of_admin, of_member = (accounts.create_key(user, "a script", ["*"]).row for user in (ada, ben))

    assert accounts.allows(of_admin, ada, "admin")
    assert accounts.allows(of_member, ben, "runs:write")
    assert not accounts.allows(of_member, ben, "admin")


@pytest.mark.parametrize("text", ["", "pb_", "pb_made_up", "nonsense"])
def test_an_unknown_key_is_refused(text: str) -> None:
    with pytest.raises(Unauthenticated):
        accounts.authenticate_key(text, HERE)


def test_a_revoked_key_is_refused_and_remembered(ada: User) -> None:
    made = accounts.create_key(ada, "a script", ["*"])
    accounts.revoke_key(ada.id, made.row.id)
    accounts.revoke_key(ada.id, made.row.id)

    with pytest.raises(Unauthenticated):
        accounts.authenticate_key(made.text, HERE)

    assert deeds()[-3:] == ["key_created", "key_revoked", "key_refused"]


def test_the_key_of_a_locked_out_user_is_refused(ada: User, ben: User) -> None:
    made = accounts.create_key(ben, "a script", ["*"])
    accounts.set_active(mine(ada), ben.id, active=False)

    with pytest.raises(Unauthenticated):
        accounts.authenticate_key(made.text, HERE)


def test_the_key_of_another_cannot_be_revoked(ada: User, cleo: User) -> None:
    made = accounts.create_key(ada, "a script", ["*"])

    with pytest.raises(NotFound):
        accounts.revoke_key(cleo.id, made.row.id)


def test_the_first_use_from_an_address_is_remembered_once(ada: User) -> None:
    made = accounts.create_key(ada, "a script", ["*"])

    for address in (HERE, HERE, "198.51.100.7", HERE):
        accounts.authenticate_key(made.text, address)

    entries = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "key_used_from_new_address"))
    assert [entry.detail["address"] for entry in entries] == [HERE, "198.51.100.7"]


def test_the_last_use_is_noted_once_a_minute(ada: User, frozen_clock: FrozenClock) -> None:
    made = accounts.create_key(ada, "a script", ["*"])
    accounts.authenticate_key(made.text, HERE)
    first = frozen_clock.now()

    frozen_clock.advance(seconds=59)
    accounts.authenticate_key(made.text, HERE)
    within = db.session.get_one(ApiKey, made.row.id).last_used_at
    frozen_clock.advance(seconds=1)
    accounts.authenticate_key(made.text, HERE)

    assert within == first
    assert db.session.get_one(ApiKey, made.row.id).last_used_at == frozen_clock.now()


def test_keys_come_in_pages_newest_first(ada: User, ben: User) -> None:
    ids = [accounts.create_key(ada, f"key {number}", ["*"]).row.id for number in range(3)]
    accounts.create_key(ben, "not hers", ["*"])

    first, cursor = accounts.keys(ada.id, cursor=None, limit=2)
    second, end = accounts.keys(ada.id, cursor=cursor, limit=2)

    assert [key.id for key in first + second] == ids[::-1]
    assert end is None


# -- the audit log


def test_entries_say_who_did_it_from_where(ada: User) -> None:
    audit.act_as(audit.Actor(ada.id, HERE, "req_1"))
    accounts.create_key(ada, "a script", ["*"])
    audit.act_as(None)

    entry = db.session.scalars(select(AuditEntry).where(AuditEntry.action == "key_created")).one()
    assert (entry.actor, entry.address, entry.request_id) == (ada.id, HERE, "req_1")


def test_what_is_undone_leaves_no_entry(ada: User) -> None:
    before = deeds()

    def fail() -> None:
        with transaction():
            accounts.create_key(ada, "a script", ["*"])
            raise ZeroDivisionError

    with pytest.raises(ZeroDivisionError):
        fail()

    assert deeds() == before
