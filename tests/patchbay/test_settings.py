"""Settings: read once, completed with what is kept in the home, refused with one line that names the variable."""

from pathlib import Path

import pytest
from cryptography.fernet import Fernet

from patchbay import settings
from patchbay.errors import SettingsError


def load(tmp_path: Path, **environment: str) -> settings.Settings:
    return settings.load({"PATCHBAY_HOME": str(tmp_path / "home"), **environment})


def test_without_any_setting_it_is_an_installation_of_ones_own(tmp_path: Path) -> None:
    here = load(tmp_path)

    assert here.public_url == "http://127.0.0.1:8000"
    assert here.callback_url == "http://127.0.0.1:8000/integrations/callback"
    assert here.sandbox
    assert here.uses_sqlite
    assert here.embedded_redis
    assert here.cookie_name == "patchbay"


def test_keys_are_made_once_and_for_the_owners_eyes_alone(tmp_path: Path) -> None:
    first, second = load(tmp_path), load(tmp_path)

    assert (first.secret_key, first.vault_keys, first.demo_password) == (
        second.secret_key,
        second.vault_keys,
        second.demo_password,
    )
    for path in (first.home / "keys").iterdir():
        assert path.stat().st_mode & 0o777 == 0o600


def test_secrets_do_not_show(tmp_path: Path) -> None:
    here = load(
        tmp_path, SHOPIFY_CLIENT_ID="id", SHOPIFY_CLIENT_SECRET="shpss_secret", DATABASE_URL="postgresql://u:pw@h/d"
    )

    for secret in (here.secret_key, *here.vault_keys, here.demo_password, "shpss_secret", "pw@h"):
        assert secret not in repr(here)


def test_a_secret_may_come_from_a_file(tmp_path: Path) -> None:
    path = tmp_path / "secret"
    path.write_text("from a file\n", encoding="utf-8")

    assert load(tmp_path, SECRET_KEY_FILE=str(path)).secret_key == "from a file"


def test_behind_https_the_cookie_is_bound_to_its_host(tmp_path: Path) -> None:
    here = load(tmp_path, PUBLIC_URL="https://hub.example.org")

    assert here.is_https
    assert here.cookie_name == "__Host-patchbay"
    assert not here.sandbox


def test_live_credentials_are_found_by_name(tmp_path: Path) -> None:
    here = load(tmp_path, GOOGLE_CLIENT_ID="id", GOOGLE_CLIENT_SECRET="s", GOOGLE_REDIRECT_URI="https://a.example/cb")

    assert here.live["google"].client_id == "id"
    assert here.live["google"].redirect_uri == "https://a.example/cb"


@pytest.mark.parametrize("url", ["postgres://u@h/d", "postgresql://u@h/d", "postgresql+psycopg://u@h/d"])
def test_postgresql_may_be_written_in_many_ways(tmp_path: Path, url: str) -> None:
    assert load(tmp_path, DATABASE_URL=url).database_url == "postgresql+psycopg://u@h/d"


def test_a_long_home_does_not_cut_the_socket(tmp_path: Path) -> None:
    assert len(str(settings.redis_socket(tmp_path / ("x" * 120)))) < 100


@pytest.mark.parametrize(
    ("name", "value"),
    [
        ("PORT", "0"), ("PORT", "65536"), ("PORT", "http"), ("PORT", "8 000"), ("WORKERS", "0"), ("WORKERS", "-1"),
        ("WEB_THREADS", "3"), ("TRUSTED_PROXIES", "many"), ("SANDBOX", "yes"), ("PUBLIC_URL", "hub.example.org"),
        ("PUBLIC_URL", "ftp://hub.example.org"), ("PUBLIC_URL", "https://hub.example.org/path"),
        ("PUBLIC_URL", "http://[hub"), ("PUBLIC_URL", "http://hub:99999"), ("PUBLIC_URL", "http://me:pw@hub"),
        ("SANDBOX_URL", "localhost:8001"), ("DATABASE_URL", "mysql://u@h/d"), ("VAULT_KEYS", "short"),
        ("SECRET_KEY_FILE", "/nowhere/at/all"), ("PORT", "８０００"),
    ],
)  # fmt: skip
def test_a_value_that_cannot_be_used_is_refused_by_name(tmp_path: Path, name: str, value: str) -> None:
    with pytest.raises(SettingsError) as refused:
        load(tmp_path, **{name: value})

    assert str(refused.value).startswith(name)
    assert "\n" not in str(refused.value)


@pytest.mark.parametrize(
    "environment",
    [
        {"PORT": "9000", "SANDBOX_PORT": "9000"},
        {"WEB_WORKERS": "2"},
        {"SANDBOX": "on", "PUBLIC_URL": "https://hub.example.org"},
    ],
)
def test_values_that_do_not_go_together_are_refused(tmp_path: Path, environment: dict[str, str]) -> None:
    with pytest.raises(SettingsError):
        load(tmp_path, **environment)


def test_a_secret_file_that_is_no_text_is_refused(tmp_path: Path) -> None:
    file = tmp_path / "key"
    file.write_bytes(b"\xff\xfe\x00")

    with pytest.raises(SettingsError, match="SECRET_KEY_FILE"):
        load(tmp_path, SECRET_KEY_FILE=str(file))


def test_a_home_that_cannot_be_written_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("in the way", encoding="utf-8")

    with pytest.raises(SettingsError, match=r"^PATCHBAY_HOME"):
        settings.load({"PATCHBAY_HOME": str(tmp_path / "file")})


def test_many_vault_keys_are_kept_in_order(tmp_path: Path) -> None:
    new, old = (Fernet.generate_key().decode() for _ in range(2))

    assert load(tmp_path, VAULT_KEYS=f" {new} ,{old},").vault_keys == (new, old)
