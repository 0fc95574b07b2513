"""Handing a message to the operator's mail server (RFC 5321, 5322, 3207), within a limit for the whole of it.

What does not live here: what it says (`alerts.letters`), and when it is tried again (`alerts.delivery`).
"""

import contextlib
import smtplib
import socket
import ssl
from email.headerregistry import Address
from email.message import EmailMessage
from email.policy import SMTP
from email.utils import format_datetime, parseaddr

import structlog

from patchbay import settings
from patchbay.alerts.letters import Letter
from patchbay.alerts.outcome import Problem
from patchbay.errors import N_, NetworkError
from patchbay.net import dialling
from patchbay.net.guard import RESOLVE_TIMEOUT_S, resolve_with_system
from patchbay.settings.mail import Mail, MailTls

log = structlog.get_logger()

LIMIT_S = 30.0

_NO_SERVER = N_("No mail server is set up. Ask your administrator to set SMTP_URL.")
_NOT_REACHED = N_("The mail server could not be reached, or did not answer in time.")
_NOT_SECURE = N_("The mail server offers no connection that is secure.")
_NOT_ADMITTED = N_("The mail server does not accept our user name and password.")
_REFUSED = N_("The mail server did not take the message.")
_NO_SUCH_ADDRESS = N_("The mail server refuses this mail address.")


def send(letter: Letter, recipient: str) -> Problem | None:
    """Hand the letter in; None once the server has taken it, else why not. Takes `LIMIT_S` at most.

    A server that takes the message and then breaks off is believed: repeating would double it.
    """
    here = settings.current().mail
    if here is None:
        return Problem(_NO_SERVER, is_final=True)
    try:
        message = written(letter, recipient, here.sender)
    except ValueError:  # what the email package makes of an address that is none
        return Problem(_NO_SUCH_ADDRESS, is_final=True)
    with dialling.limit(LIMIT_S):
        return _handed_in(message, here)


def written(letter: Letter, recipient: str, sender: str) -> EmailMessage:
    """The letter as a mail. A line break in the subject becomes a space; raises ValueError for a bad recipient."""
    host = parseaddr(sender)[1].rpartition("@")[2]
    to = _address(recipient)
    message = EmailMessage(policy=SMTP)
    message["From"] = sender
    message["To"] = to
    message["Subject"] = " ".join("".join(c if c.isprintable() else " " for c in letter.subject).split())
    message["Date"] = format_datetime(letter.happened_at)
    message["Message-ID"] = f"<{letter.id}@{host}>"
    if letter.alert is not None:
        message["References"] = f"<{letter.alert.id}@{host}>"  # mails about one alert stand together
    message["Auto-Submitted"] = "auto-generated"  # RFC 3834: no answering machine answers it
    message.set_content(letter.text)
    message["Content-Language"] = letter.language
    return message


def _address(text: str) -> Address:
    """Raises ValueError for what is no address; the email package has other errors for some of it."""
    try:
        found = Address(addr_spec=text)
    except (IndexError, ValueError):
        raise ValueError("no mail address") from None
    if not (found.username and found.domain):
        raise ValueError("a mail address without its name or its host")
    return found


def _handed_in(message: EmailMessage, here: Mail) -> Problem | None:
    try:
        session = _Session(here)
    except (OSError, NetworkError, smtplib.SMTPException) as failure:
        return _problem(failure)
    try:
        session.admit()
        session.send_message(message)
    except (OSError, NetworkError, smtplib.SMTPException) as failure:
        return _problem(failure)
    else:
        with contextlib.suppress(OSError, smtplib.SMTPException):
            session.quit()
        return None
    finally:
        session.close()


class _Session(smtplib.SMTP):
    """A connection to the mail server, whose every step shares the limit of the whole."""

    def __init__(self, here: Mail) -> None:
        self._here = here
        super().__init__(here.host, here.port, local_hostname=settings.current().public_host, timeout=LIMIT_S)

    def admit(self) -> None:
        """Protect the way and say who we are, as far as the operator wants it."""
        if self._here.tls is MailTls.STARTTLS:
            self.starttls(context=_tls())
        if self._here.username:
            self.login(self._here.username, self._here.password)

    def _get_socket(self, host: str, port: int, timeout: float) -> socket.socket:  # noqa: ARG002 - smtplib's own name
        dialled = dialling.dial(host, resolve_with_system(host, RESOLVE_TIMEOUT_S), port)
        if self._here.tls is MailTls.TLS:
            return _tls().wrap_socket(dialled, server_hostname=host)
        return dialled


def _tls() -> ssl.SSLContext:
    context = ssl.create_default_context()
    context.sslsocket_class = dialling.LimitedTLSSocket
    return context


def _problem(failure: Exception) -> Problem:
    """What went wrong in words of ours; what the server said goes to the log without the addresses in it."""
    log.warning("A mail was not taken.", error=type(failure).__name__, code=getattr(failure, "smtp_code", None))
    if isinstance(failure, smtplib.SMTPRecipientsRefused):
        codes = [code for code, _ in failure.recipients.values()]
        return Problem(_NO_SUCH_ADDRESS, is_final=all(code >= 500 for code in codes))
    if isinstance(failure, smtplib.SMTPAuthenticationError):
        return Problem(_NOT_ADMITTED)
    if isinstance(failure, ssl.SSLError | smtplib.SMTPNotSupportedError):
        return Problem(_NOT_SECURE)
    if isinstance(failure, smtplib.SMTPDataError | smtplib.SMTPSenderRefused):
        return Problem(_REFUSED)
    return Problem(_NOT_REACHED)
