"""Secrets at rest: they open with the right key in the right row, and nowhere else."""

import pytest
from cryptography.fernet import Fernet

from patchbay import vault
from patchbay.errors import SettingsError, VaultError
from patchbay.vault import Vault

ROW = "user_integrations.access_token:con_1"
OLD, NEW = (Fernet.generate_key().decode() for _ in range(2))


@pytest.mark.parametrize("plaintext", ["shpat_abc", "", "ключ 🔑", "a" * 100_000])
def test_what_was_sealed_opens_in_its_place(plaintext: str) -> None:
    keys = Vault([OLD])

    assert keys.open(keys.seal(plaintext, context=ROW), context=ROW) == plaintext


def test_ciphertext_neither_shows_nor_repeats_itself() -> None:
    keys = Vault([OLD])

    one, other = keys.seal("shpat_abc", context=ROW), keys.seal("shpat_abc", context=ROW)

    assert one != other
    assert "shpat" not in one


@pytest.mark.parametrize(
    "elsewhere",
    [
        "user_integrations.access_token:con_2",
        "user_integrations.refresh_token:con_1",
        "user_integrations.access_token:con_",
        "",
    ],
)
def test_ciphertext_moved_elsewhere_does_not_open(elsewhere: str) -> None:
    keys = Vault([OLD])
    sealed = keys.seal("shpat_abc", context=ROW)

    with pytest.raises(VaultError, match="another place") as refused:
        keys.open(sealed, context=elsewhere)

    assert "shpat" not in str(refused.value)


@pytest.mark.parametrize("token", ["", "not a token", "gAAAAAB", "ü"])
def test_what_is_no_ciphertext_does_not_open(token: str) -> None:
    with pytest.raises(VaultError):
        Vault([OLD]).open(token, context=ROW)


def test_another_key_does_not_open() -> None:
    sealed = Vault([OLD]).seal("shpat_abc", context=ROW)

    with pytest.raises(VaultError, match="no key opens"):
        Vault([NEW]).open(sealed, context=ROW)


def test_changed_ciphertext_does_not_open() -> None:
    sealed = Vault([OLD]).seal("shpat_abc", context=ROW)
    changed = sealed[:40] + ("A" if sealed[40] != "A" else "B") + sealed[41:]

    with pytest.raises(VaultError):
        Vault([OLD]).open(changed, context=ROW)


def test_rotation_moves_to_the_first_key() -> None:
    sealed = Vault([OLD]).seal("shpat_abc", context=ROW)
    both = Vault([NEW, OLD])

    rotated = both.rotate(sealed, context=ROW)

    assert both.needs_rotation(sealed)
    assert not both.needs_rotation(rotated)
    assert Vault([NEW]).open(rotated, context=ROW) == "shpat_abc"


def test_rotation_of_a_moved_ciphertext_is_refused() -> None:
    sealed = Vault([OLD]).seal("shpat_abc", context=ROW)

    with pytest.raises(VaultError):
        Vault([NEW, OLD]).rotate(sealed, context="elsewhere")


def test_fingerprints_tell_keys_apart_without_showing_them() -> None:
    keys = Vault([NEW, OLD])

    first, second = keys.fingerprints()

    assert first != second
    assert (len(first), Vault([NEW]).fingerprints()) == (8, (first,))
    assert NEW not in repr(keys)


@pytest.mark.parametrize("keys", [[], [""], ["short"], [OLD, "x" * 44]])
def test_unusable_keys_stop_the_start(keys: list[str]) -> None:
    with pytest.raises(SettingsError, match="VAULT_KEYS"):
        Vault(keys)


def test_process_uses_the_vault_it_was_given(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(vault, "_in_use", None)
    with pytest.raises(VaultError):
        vault.current()
    keys = Vault([OLD])

    vault.use(keys)

    assert vault.current() is keys
