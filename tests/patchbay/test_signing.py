"""Signed links and random tokens: whole, for one purpose, for a time."""

from datetime import UTC, datetime, timedelta
from string import ascii_letters, digits

import pytest
import time_machine

from patchbay import signing
from patchbay.errors import Forbidden, SettingsError, VaultError
from patchbay.signing import Signer, equal, hash_token, new_token, stable_expiry

KEY = "a session key of some length"
NOON = datetime(2026, 11, 21, 12, 20, 30, tzinfo=UTC)
LATER = NOON + timedelta(hours=1)


@time_machine.travel(NOON, tick=False)
def test_signed_value_comes_back() -> None:
    token = Signer(KEY).sign("ast_1/ü", purpose="asset", expires_at=LATER)

    assert Signer(KEY).unsign(token, purpose="asset") == "ast_1/ü"
    assert token.isascii()
    assert not set(token) & set("/?&#+ ")


def test_ended_link_is_refused() -> None:
    with time_machine.travel(NOON, tick=False):
        token = Signer(KEY).sign("ast_1", purpose="asset", expires_at=LATER)

    with time_machine.travel(LATER - timedelta(seconds=1), tick=False):
        assert Signer(KEY).unsign(token, purpose="asset") == "ast_1"
    with time_machine.travel(LATER, tick=False), pytest.raises(Forbidden):
        Signer(KEY).unsign(token, purpose="asset")


@time_machine.travel(NOON, tick=False)
def test_link_of_another_purpose_or_key_is_refused() -> None:
    token = Signer(KEY).sign("ast_1", purpose="asset", expires_at=LATER)

    with pytest.raises(Forbidden):
        Signer(KEY).unsign(token, purpose="invitation")
    with pytest.raises(Forbidden):
        Signer(KEY + "!").unsign(token, purpose="asset")


@time_machine.travel(NOON, tick=False)
@pytest.mark.parametrize("changed", ["{token}x", "x{token}", ".{token}", "", "ü.", "W10.abc"])
def test_changed_link_is_refused(changed: str) -> None:
    token = Signer(KEY).sign("ast_1", purpose="asset", expires_at=LATER)

    with pytest.raises(Forbidden) as refused:
        Signer(KEY).unsign(changed.format(token=token), purpose="asset")

    assert refused.value.http_status == 403


@time_machine.travel(NOON, tick=False)
def test_a_link_opens_with_no_other_last_letter() -> None:
    token = Signer(KEY).sign("ast_1", purpose="asset", expires_at=LATER)

    def opens(changed: str) -> bool:
        try:
            return Signer(KEY).unsign(changed, purpose="asset") == "ast_1"
        except Forbidden:
            return False

    assert [last for last in f"{ascii_letters}{digits}-_" if opens(token[:-1] + last)] == [token[-1]]


def test_links_are_the_same_text_within_an_hour() -> None:
    def link(at: datetime) -> str:
        with time_machine.travel(at, tick=False):
            return Signer(KEY).sign("ast_1", purpose="asset", expires_at=stable_expiry(timedelta(hours=1)))

    assert link(NOON) == link(NOON + timedelta(minutes=39))
    assert link(NOON) != link(NOON + timedelta(minutes=40))


@pytest.mark.parametrize("minutes", [0, 1, 39, 40, 59])
def test_stable_links_live_an_hour_at_least_and_two_at_most(minutes: int) -> None:
    moment = NOON + timedelta(minutes=minutes)

    with time_machine.travel(moment, tick=False):
        left = stable_expiry(timedelta(hours=1)) - moment

    assert timedelta(hours=1) < left <= timedelta(hours=2)


def test_short_session_key_stops_the_start() -> None:
    with pytest.raises(SettingsError):
        Signer("short")


def test_random_tokens_carry_their_prefix_and_differ() -> None:
    one, other = new_token("pb_"), new_token("pb_")

    assert one != other
    assert one.startswith("pb_")
    assert len(one) == len("pb_") + 43


def test_hash_of_a_token_is_stable_and_does_not_show_it() -> None:
    assert hash_token("pb_abc") == hash_token("pb_abc")
    assert hash_token("pb_abc") != hash_token("pb_abd")
    assert len(hash_token("pb_abc")) == 64


def test_comparison_tells_equal_from_different_texts() -> None:
    assert equal("ключ", "ключ")
    assert not equal("ключ", "ключи")
    assert not equal("", "a")


def test_process_uses_the_signer_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(signing, "_in_use", None)
    with pytest.raises(VaultError):
        signing.current()
    signer = Signer(KEY)

    signing.use(signer)

    assert signing.current() is signer
