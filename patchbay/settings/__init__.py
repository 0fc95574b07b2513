"""What an operator can set: read once from the environment into a frozen `Settings`, refused at start-up when wrong.

Nothing else reads environment variables; docs/operations.md and .env.example have a line for each. What does not live
here: how one variable is read (`settings.environment`), and what a mail server's address means (`settings.mail`).
"""

import contextlib
import ipaddress
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass, field
from pathlib import Path
from urllib.parse import urlsplit

from patchbay.errors import SettingsError
from patchbay.settings.environment import Environment
from patchbay.settings.mail import Mail, read_mail

__all__ = [
    "REDIRECT_PATH",
    "ROOT",
    "LiveCredentials",
    "Mail",
    "Settings",
    "current",
    "is_loopback",
    "load",
    "redis_socket",
    "use",
]

ROOT = Path(__file__).resolve().parent.parent.parent
REDIRECT_PATH = "/integrations/callback"


@dataclass(frozen=True)
class LiveCredentials:
    """An app registered at a platform: what the environment or an administrator gave."""

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str | None = None


@dataclass(frozen=True)
class Settings:
    """All settings, already checked. Secrets stay out of `repr`."""

    home: Path
    host: str
    port: int
    sandbox_port: int
    public_url: str
    database_url: str = field(repr=False)
    redis_url: str = field(repr=False)
    secret_key: str = field(repr=False)
    vault_keys: tuple[str, ...] = field(repr=False)
    workers: int
    web_workers: int
    web_threads: int
    trusted_proxies: int
    sandbox: bool
    sandbox_url: str
    demo_password: str = field(repr=False)
    metrics_token: str = field(default="", repr=False)
    allowed_addresses: tuple[str, ...] = ()
    live: Mapping[str, LiveCredentials] = field(default_factory=dict, repr=False)
    mail: Mail | None = None
    audit_days: int = 365
    wire_log_days: int = 14
    backup_key: str = field(default="", repr=False)

    @property
    def is_https(self) -> bool:
        """Whether browsers reach Patchbay over https."""
        return self.public_url.startswith("https://")

    @property
    def public_host(self) -> str:
        """The host name under which browsers reach Patchbay."""
        return urlsplit(self.public_url).hostname or ""

    @property
    def is_public(self) -> bool:
        """Whether platforms on the internet could fetch something from PUBLIC_URL, as far as its text tells."""
        return self.is_https and "." in self.public_host and not _is_private(self.public_host)

    @property
    def cookie_name(self) -> str:
        """The session cookie's name: browsers guarantee `__Host-` cookies came over https from this very host."""
        return "__Host-patchbay" if self.is_https else "patchbay"

    @property
    def uses_sqlite(self) -> bool:
        """Whether the database is the SQLite file of the home."""
        return self.database_url.startswith("sqlite")

    @property
    def embedded_redis(self) -> bool:
        """Whether the Redis is our own, on a socket of the home."""
        return self.redis_url.startswith("unix:")

    @property
    def callback_url(self) -> str:
        """The redirect URI that platforms are told by default."""
        return self.public_url + REDIRECT_PATH


def load(environ: Mapping[str, str] | None = None) -> Settings:
    """Read, check and complete the settings; makes the home and its keys on first use.

    Raises SettingsError with one line that names the variable.
    """
    env = Environment(os.environ if environ is None else environ)
    home = _home(env.text("PATCHBAY_HOME", "./var"))
    host, port = env.text("HOST", "127.0.0.1"), env.number("PORT", 8000, 1, 65535)
    sandbox_port = env.number("SANDBOX_PORT", 8001, 1, 65535)
    public_url = _origin("PUBLIC_URL", env.text("PUBLIC_URL", f"http://{f'[{host}]' if ':' in host else host}:{port}"))
    is_local = is_loopback(host) and is_loopback(urlsplit(public_url).hostname or "")
    settings = Settings(
        home=home,
        host=host,
        port=port,
        sandbox_port=sandbox_port,
        public_url=public_url,
        database_url=_database_url(env.secret("DATABASE_URL"), home),
        redis_url=env.secret("REDIS_URL") or f"unix://{redis_socket(home)}",
        secret_key=env.secret("SECRET_KEY") or _kept(home / "keys" / "secret_key", secrets.token_urlsafe(48)),
        vault_keys=_vault_keys(env.secret("VAULT_KEYS"), home),
        workers=env.number("WORKERS", min(os.cpu_count() or 1, 4), 1, 64),
        web_workers=env.number("WEB_WORKERS", 1, 1, 64),
        web_threads=env.number("WEB_THREADS", 32, 4, 512),
        trusted_proxies=env.number("TRUSTED_PROXIES", 0, 0, 10),
        sandbox=env.switch("SANDBOX", is_local),
        sandbox_url=_origin("SANDBOX_URL", env.text("SANDBOX_URL", f"http://localhost:{sandbox_port}")),
        demo_password=env.secret("DEMO_PASSWORD") or _kept(home / "keys" / "demo_password", secrets.token_urlsafe(9)),
        metrics_token=env.secret("METRICS_TOKEN"),
        allowed_addresses=tuple(env.text("ALLOWED_ADDRESSES", "").replace(",", " ").split()),
        live=_live_credentials(env),
        mail=read_mail(env),
        backup_key=env.secret("BACKUP_KEY") or _kept(home / "keys" / "backup_key", secrets.token_urlsafe(32)),
        wire_log_days=env.number("WIRE_LOG_DAYS", 14, 0, 3650),
        audit_days=env.number("AUDIT_DAYS", 365, 1, 36500),
    )
    _check_together(settings)
    return settings


def is_loopback(host: str) -> bool:
    """Whether `host` (a name or an address) means this machine and nothing else."""
    if host == "localhost":
        return True
    try:
        return ipaddress.ip_address(host).is_loopback
    except ValueError:
        return False


def _is_private(host: str) -> bool:
    try:
        return not ipaddress.ip_address(host).is_global
    except ValueError:
        return host.endswith((".local", ".internal", ".localhost", ".test", ".example"))


def redis_socket(home: Path) -> Path:
    """Where the embedded Redis listens. A Unix socket path over 107 bytes is cut silently, so a long home moves it."""
    socket = home / "run" / "redis.sock"
    if len(str(socket).encode()) < 100:
        return socket
    import hashlib
    import tempfile

    name = hashlib.sha256(str(home).encode()).hexdigest()[:16]
    return Path(tempfile.gettempdir()) / f"patchbay-{os.getuid()}-{name}" / "redis.sock"


def _home(text: str) -> Path:
    home = Path(text).expanduser()
    home = home if home.is_absolute() else ROOT / home
    try:
        for folder in (home, home / "keys", home / "run", home / "assets", home / "logs"):
            folder.mkdir(parents=True, exist_ok=True, mode=0o700)
        probe = home / "run" / f".writable-{os.getpid()}"
        probe.touch()
        probe.unlink()
    except OSError as error:
        raise SettingsError(f"PATCHBAY_HOME: cannot write to {home}: {error.strerror}.") from error
    return home.resolve()


def _origin(name: str, text: str) -> str:
    wrong = SettingsError(f"{name} must look like https://host[:port], not {text!r}.")
    try:
        parts = urlsplit(text)
        host, port = parts.hostname, parts.port
    except ValueError:  # brackets that do not close, a port that is none
        raise wrong from None
    beyond = parts.path.removesuffix("/") + parts.query + parts.fragment
    if parts.scheme not in {"http", "https"} or not host or port == 0 or parts.username is not None or beyond:
        raise wrong
    return f"{parts.scheme}://{parts.netloc}"


def _database_url(text: str, home: Path) -> str:
    if not text:
        return f"sqlite:///{home / 'patchbay.sqlite3'}"
    scheme, _, rest = text.partition("://")
    if scheme in {"postgresql", "postgres", "postgresql+psycopg"} and rest:
        return f"postgresql+psycopg://{rest}"
    if scheme == "sqlite" and rest:
        return text
    raise SettingsError("DATABASE_URL must begin with postgresql:// (or sqlite:///).")


def _vault_keys(text: str, home: Path) -> tuple[str, ...]:
    from cryptography.fernet import Fernet

    text = text or _kept(home / "keys" / "vault_keys", Fernet.generate_key().decode())
    keys = tuple(key.strip() for key in text.replace("\n", ",").split(",") if key.strip())
    try:
        for key in keys:
            Fernet(key)
    except ValueError as error:
        raise SettingsError("VAULT_KEYS: each key must be 32 bytes in URL-safe base64.") from error
    return keys


def _kept(path: Path, fresh: str) -> str:
    """What `path` holds, written with `fresh` the first time; two starting processes agree on one value."""
    try:
        descriptor = os.open(path.with_suffix(f".{os.getpid()}"), os.O_WRONLY | os.O_CREAT | os.O_TRUNC, 0o600)
        with os.fdopen(descriptor, "w", encoding="utf-8") as file:
            file.write(fresh)
        with contextlib.suppress(FileExistsError):
            os.link(path.with_suffix(f".{os.getpid()}"), path)
        path.with_suffix(f".{os.getpid()}").unlink()
        return path.read_text(encoding="utf-8").strip()
    except OSError as error:
        raise SettingsError(f"PATCHBAY_HOME: cannot keep a key in {path}: {error.strerror}.") from error


def _live_credentials(env: Environment) -> dict[str, LiveCredentials]:
    """`<NAME>_CLIENT_ID` and its companions, keyed by lower-case NAME (`shopify`, `google`)."""
    found = {}
    for name in env.names():
        if not name.endswith("_CLIENT_ID"):
            continue
        prefix = name.removesuffix("_CLIENT_ID")
        found[prefix.lower()] = LiveCredentials(
            env.text(name, ""), env.secret(f"{prefix}_CLIENT_SECRET"), env.text(f"{prefix}_REDIRECT_URI", "") or None
        )
    return found


def _check_together(settings: Settings) -> None:
    if settings.port == settings.sandbox_port:
        raise SettingsError("PORT and SANDBOX_PORT must differ.")
    if settings.web_workers > 1 and settings.uses_sqlite:
        raise SettingsError("WEB_WORKERS above 1 needs PostgreSQL: set DATABASE_URL.")
    if settings.sandbox and not is_loopback(urlsplit(settings.public_url).hostname or ""):
        raise SettingsError("SANDBOX=on is for loopback only: anybody who reaches PUBLIC_URL could use it.")


_in_use: Settings | None = None


def use(settings: Settings) -> None:
    """Make `settings` those of this process."""
    global _in_use  # noqa: PLW0603 - one process serves one installation; the edges read the environment once
    _in_use = settings


def current() -> Settings:
    """The settings in use. Raises SettingsError before `use` was called."""
    if _in_use is None:
        raise SettingsError("No settings are in use.")
    return _in_use
