"""What the doctor finds where nothing is wrong, on each database."""

from collections.abc import Callable

import pytest
from sqlalchemy import text

from patchbay import doctor, migrations
from patchbay.doctor import Level
from patchbay.models import db
from patchbay.settings import Settings
from tests.servers import free_port

pytestmark = pytest.mark.usefixtures("context")


@pytest.fixture(name="settings")
def _settings(settings_for: Callable[..., Settings]) -> Settings:
    return settings_for(PORT=str(free_port()), SANDBOX_PORT=str(free_port()))


def test_a_sound_installation_has_nothing_that_fails(settings: Settings) -> None:
    findings = list(doctor.examine(settings))

    assert [one for one in findings if one.level is Level.FAIL] == []
    assert {one.name for one in findings} == {name for name, _ in doctor.EXAMINATIONS}


def test_whatever_is_not_well_says_what_to_do(settings: Settings) -> None:
    assert all(one.advice for one in doctor.examine(settings) if one.level is not Level.OK)


def test_it_says_what_keeps_users_apart_and_whose_clock_was_asked(settings: Settings) -> None:
    migrations.migrate(settings)

    found = {one.name: one.text for one in doctor.examine(settings)}

    if settings.uses_sqlite:
        assert "by the application" in found["isolation"]
        assert "nobody else was asked" in found["clock"]
    else:
        role = db.session.scalar(text("SELECT current_user"))
        assert found["isolation"] == f"the login {role} is held to the policies that keep users apart"
        assert found["clock"] == "goes with that of the database server"


def test_examining_changes_nothing(settings: Settings) -> None:
    before = sorted((path, path.stat().st_mtime_ns) for path in (settings.home / "keys").iterdir())

    list(doctor.examine(settings))

    assert not db.session().in_transaction()
    assert sorted((path, path.stat().st_mtime_ns) for path in (settings.home / "keys").iterdir()) == before
