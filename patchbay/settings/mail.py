"""The mail server that alerts are sent through, as the operator names it.

What does not live here: speaking to it (`alerts.mail`).
"""

from dataclasses import dataclass, field
from email.utils import parseaddr
from enum import StrEnum
from urllib.parse import unquote, urlsplit

from patchbay.errors import SettingsError
from patchbay.settings.environment import Environment


class MailTls(StrEnum):
    """How the way to the mail server is protected."""

    STARTTLS = "starttls"
    TLS = "tls"
    NONE = "none"


DEFAULT_PORTS = {MailTls.STARTTLS: 587, MailTls.TLS: 465, MailTls.NONE: 25}


@dataclass(frozen=True)
class Mail:
    """Where mail is handed in, and in whose name. `username` "": the server asks for none."""

    host: str
    port: int
    tls: MailTls
    sender: str
    username: str = ""
    password: str = field(default="", repr=False)


def read_mail(env: Environment) -> Mail | None:
    """What SMTP_URL, SMTP_TLS and MAIL_FROM say; None without the first. Raises SettingsError."""
    url, sender = env.secret("SMTP_URL"), env.text("MAIL_FROM", "")
    tls = _tls(env.text("SMTP_TLS", MailTls.STARTTLS.value))
    if not url:
        return None
    wrong = SettingsError("SMTP_URL must look like smtp://user:password@host:587 (user and password may be left out).")
    try:
        parts = urlsplit(url)
        host, port = parts.hostname, parts.port
    except ValueError:
        raise wrong from None
    if parts.scheme != "smtp" or not host or port == 0 or parts.path.strip("/") or parts.query or parts.fragment:
        raise wrong
    username, password = unquote(parts.username or ""), unquote(parts.password or "")
    if username and tls is MailTls.NONE and host not in {"localhost", "127.0.0.1", "::1"}:
        raise SettingsError("SMTP_TLS=none would send the password of SMTP_URL in the clear: use starttls or tls.")
    return Mail(host, port or DEFAULT_PORTS[tls], tls, _sender(sender), username, password)


def _tls(text: str) -> MailTls:
    try:
        return MailTls(text.lower())
    except ValueError:
        raise SettingsError(f"SMTP_TLS must be starttls, tls or none, not {text!r}.") from None


def _sender(text: str) -> str:
    """An address with or without a name in front; it stands in a header, so nothing else may."""
    address = parseaddr(text)[1]
    local, at, host = address.rpartition("@")
    if not (local and at and host) or not address.isascii() or not text.isprintable() or " " in address:
        raise SettingsError("MAIL_FROM must be an address like patchbay@example.org; SMTP_URL needs it.")
    return text
