"""Backups: everything but the keys in one file, back into an empty home on either database, or nothing at all."""

import dataclasses
from collections.abc import Callable
from pathlib import Path

import pytest
from cryptography.fernet import Fernet
from sqlalchemy import create_engine, text

from patchbay import backup, settings, tenancy, vault
from patchbay.backup.sealing import PIECE_BYTES
from patchbay.errors import BackupError
from patchbay.models import Connection, User, db
from patchbay.settings import Settings
from patchbay.vault import Vault
from tests.stage import Walker

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture
def target(tmp_path: Path) -> Path:
    return tmp_path / "elsewhere" / "patchbay.backup"


@pytest.fixture
def made(target: Path, ada: User, connect: Walker) -> Path:
    """A backup of a hub with a connection and a picture of several pieces."""
    target.parent.mkdir()
    connect(ada, "shopify", shop="demo-shop")
    folder = settings.current().home / "assets" / "ab"
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "abcdef").write_bytes(bytes(range(256)) * (PIECE_BYTES // 100))
    backup.create(settings.current(), target)
    return target


@pytest.fixture
def new_home(tmp_path: Path) -> Settings:
    """The keys of the old home, an empty folder, an empty SQLite database."""
    home = tmp_path / "new"
    home.mkdir()
    return dataclasses.replace(settings.current(), home=home, database_url=f"sqlite:///{home / 'patchbay.sqlite3'}")


def asked(here: Settings, question: str) -> list[tuple[object, ...]]:
    engine = create_engine(here.database_url)
    with tenancy.everyone(), engine.connect() as connection:
        found = [tuple(row) for row in connection.execute(text(question))]
    engine.dispose()
    return found


def test_all_comes_back_into_an_empty_home(made: Path, new_home: Settings, ada: User) -> None:
    done = backup.restore(new_home, made)

    kept = db.session.query(Connection).filter_by(user_id=ada.id).one()
    ((connection_id, sealed),) = asked(new_home, "SELECT id, access_token_sealed FROM user_integrations")
    assert connection_id == kept.id
    opened = vault.current().open(str(sealed), context=Connection.__dict__["access_token"].context(kept))
    assert opened == kept.access_token
    assert (new_home.home / "assets" / "ab" / "abcdef").stat().st_size == 256 * (PIECE_BYTES // 100)
    assert done.assets >= 1
    assert len(asked(new_home, "SELECT id FROM users")) == 3


def test_one_database_follows_the_other(made: Path, new_home: Settings, blank_postgresql: str) -> None:
    there = dataclasses.replace(new_home, database_url=blank_postgresql)

    backup.restore(there, made)

    for question in ("SELECT id FROM users ORDER BY id", "SELECT id FROM audit_entries ORDER BY id"):
        assert asked(there, question) == asked(settings.current(), question)


def test_the_chain_of_the_audit_log_and_counted_rows_go_on(made: Path, new_home: Settings) -> None:
    backup.restore(new_home, made)

    here, there = settings.current(), new_home
    for question in ("SELECT id FROM audit_entries ORDER BY id", "SELECT id FROM run_logs ORDER BY id"):
        assert asked(there, question) == asked(here, question)


def test_a_backup_holds_nothing_readable(made: Path, ada: User) -> None:
    content = made.read_bytes()

    assert ada.email.encode() not in content
    assert b"demo-shop" not in content
    assert settings.current().backup_key.encode() not in content
    assert made.stat().st_mode & 0o777 == 0o600


def cut(content: bytes) -> bytes:
    return content[:-1]


def without_the_last_piece(content: bytes) -> bytes:
    return content[: -(len(content) % (PIECE_BYTES + 16) or PIECE_BYTES + 16) - 1]


def with_another_byte(content: bytes) -> bytes:
    middle = len(content) // 2
    return content[:middle] + bytes([content[middle] ^ 1]) + content[middle + 1 :]


def with_more_behind(content: bytes) -> bytes:
    return content + b"x"


def with_another_head(content: bytes) -> bytes:
    return content.replace(b'"at": "20', b'"at": "19', 1)


def of_something_else(_content: bytes) -> bytes:
    return b"PK\x03\x04 something else"


@pytest.mark.parametrize(
    "damage",
    [cut, without_the_last_piece, with_another_byte, with_more_behind, with_another_head, of_something_else],
)
def test_a_damaged_file_changes_nothing(made: Path, new_home: Settings, damage: Callable[[bytes], bytes]) -> None:
    made.write_bytes(damage(made.read_bytes()))

    with pytest.raises(BackupError):
        backup.restore(new_home, made)

    assert list(new_home.home.iterdir()) == []


def test_the_wrong_key_is_said_in_one_line(made: Path, new_home: Settings) -> None:
    with pytest.raises(BackupError, match="BACKUP_KEY"):
        backup.restore(dataclasses.replace(new_home, backup_key="another"), made)

    assert list(new_home.home.iterdir()) == []


def test_without_the_old_vault_keys_it_says_which_are_missing(made: Path, new_home: Settings) -> None:
    old = vault.current()
    vault.use(Vault([Fernet.generate_key().decode()]))
    try:
        with pytest.raises(BackupError, match="VAULT_KEYS"):
            backup.restore(new_home, made)
        backup.restore(new_home, made, without_keys=True)
    finally:
        vault.use(old)

    assert len(asked(new_home, "SELECT id FROM users")) == 3


def test_it_is_not_restored_over_what_is_there(made: Path, new_home: Settings) -> None:
    backup.restore(new_home, made)

    with pytest.raises(BackupError, match="users here already"):
        backup.restore(new_home, made)


def test_a_backup_from_newer_code_is_refused(made: Path, new_home: Settings, monkeypatch: pytest.MonkeyPatch) -> None:
    newer = made.with_name("newer.backup")
    with monkeypatch.context() as patch:
        patch.setattr("patchbay.migrations.present", lambda _settings: "9999")
        backup.create(settings.current(), newer)

    with pytest.raises(BackupError, match="newer"):
        backup.restore(new_home, newer)


def test_what_cannot_be_written_leaves_nothing(tmp_path: Path) -> None:
    with pytest.raises(BackupError, match="could not be written"):
        backup.create(settings.current(), tmp_path / "no such folder" / "patchbay.backup")

    assert not (tmp_path / "no such folder").exists()
