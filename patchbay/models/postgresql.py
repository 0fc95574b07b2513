"""How this application enters PostgreSQL: under which login, and with which pass in each transaction.

The policies that the pass opens, and the making of the login, live in `patchbay.migrations.isolation`.
"""

import hashlib
import hmac
from functools import lru_cache
from typing import Any

from sqlalchemy import Engine, event
from sqlalchemy.engine import Connection as DatabaseConnection
from sqlalchemy.engine import Dialect

from patchbay import signing, tenancy
from patchbay.errors import SettingsError
from patchbay.signing import Signer

SETTING = "patchbay.pass"
_SHOWN = "tenancy shown"
_FIND_LOGIN = """
SELECT rolsuper OR rolbypassrls, EXISTS (SELECT FROM pg_roles WHERE rolname = %s AND rolcanlogin)
FROM pg_roles WHERE rolname = current_user
"""


def login_name(signer: Signer) -> str:
    """The application's own login: of each installation on a server another."""
    return f"patchbay_app_{signer.seal('name', purpose='database login')[:12]}"


def login_password(signer: Signer) -> str:
    """Its password, which is written down nowhere."""
    return signer.seal("password", purpose="database login")


def pass_key(signer: Signer) -> bytes:
    """What passes are signed with: 64 bytes, which the database keeps a copy of."""
    return signer.seal("key", purpose="tenancy").encode()


@lru_cache(maxsize=4096)
def pass_for(scope: str, key: bytes) -> str:
    """What proves to the database whose rows a transaction may see; the database alone can tell a forged one."""
    return f"{scope} {hmac.new(key, scope.encode(), hashlib.sha256).hexdigest()}" if scope else ""


def enter_restricted(engine: Engine) -> None:
    """Let the engine connect under the application's own login, where there is one: one that no policy lets off.

    Connecting raises SettingsError when there is none and that of DATABASE_URL would see the rows of all users.
    """
    if engine.dialect.name == "postgresql":
        event.listen(engine, "do_connect", _Entrance())


class _Entrance:
    """Decides at the first connection; it is the same for all of a process."""

    def __init__(self) -> None:
        self._login: dict[str, str] | None = None

    def __call__(self, dialect: Dialect, _record: object, args: list[Any], params: dict[str, Any]) -> None:
        if self._login is None:
            self._login = self._find(dialect, args, params)
        params.update(self._login)

    def _find(self, dialect: Dialect, args: list[Any], params: dict[str, Any]) -> dict[str, str]:
        signer = signing.current()
        connection: Any = dialect.connect(*args, **params)
        try:
            sees_everything, has_own = connection.execute(_FIND_LOGIN, (login_name(signer),)).fetchone()
        finally:
            connection.close()
        if has_own:
            return {"user": login_name(signer), "password": login_password(signer)}
        if sees_everything:
            raise SettingsError(
                "DATABASE_URL: this login sees the rows of all users. Run `python -m patchbay.migrations`, which makes "
                "one that does not."
            )
        return {}


@event.listens_for(Engine, "before_cursor_execute")
def _show_pass(connection: DatabaseConnection, _cursor: object, statement: str, *_: object) -> None:
    """Tell PostgreSQL whose rows they are from here on, when it has been told otherwise in this transaction."""
    if connection.dialect.name != "postgresql" or statement.startswith("ROLLBACK TO SAVEPOINT"):
        return  # a transaction that has failed takes nothing else
    scope = tenancy.present()
    if connection.info.get(_SHOWN) == scope:
        return
    shown = pass_for(scope, pass_key(signing.current())) if scope else ""
    driver: Any = connection.connection.driver_connection
    driver.execute("SELECT set_config(%s, %s, true)", (SETTING, shown))
    connection.info[_SHOWN] = scope


@event.listens_for(Engine, "begin")
def _begin(connection: DatabaseConnection) -> None:
    connection.info.pop(_SHOWN, None)  # for nobody it is shown too: the session may have kept another pass


@event.listens_for(Engine, "rollback_savepoint")
def _rolled_back(connection: DatabaseConnection, *_: object) -> None:
    connection.info[_SHOWN] = None  # it may be as it was before the savepoint
