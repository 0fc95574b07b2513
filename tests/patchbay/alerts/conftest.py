"""Where messages arrive in these tests: a real mail server and a real https server, both on this machine."""

import ssl
import threading
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.message import Message
from email.parser import BytesParser
from email.policy import default
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import pytest
from aiosmtpd.controller import Controller
from aiosmtpd.smtp import SMTP, AuthResult, Envelope, LoginPassword, Session
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec

from patchbay import net
from patchbay.net import Net
from patchbay.settings import Settings
from tests.servers import free_port

NAME, PASSWORD = "hub", "a password for mail"


@dataclass
class PostOffice:
    """A mail server; `answers` are given in turn to the messages that come in, then all are taken."""

    port: int
    arrived: list[Message] = field(default_factory=list)
    answers: list[str] = field(default_factory=list)
    refused: set[str] = field(default_factory=set)
    on_arrival: Callable[[], None] | None = None

    async def handle_RCPT(  # noqa: N802 - the name aiosmtpd looks for
        self, _server: SMTP, _session: Session, envelope: Envelope, address: str, _options: list[str]
    ) -> str:
        """Refuse those who do not live here."""
        if address in self.refused:
            return "550 no such mailbox"
        envelope.rcpt_tos.append(address)
        return "250 OK"

    async def handle_DATA(self, _server: SMTP, _session: Session, envelope: Envelope) -> str:  # noqa: N802 - as above
        """Take the message, or answer what the test wants."""
        answer = self.answers.pop(0) if self.answers else "250 OK"
        if answer.startswith("250"):
            content = envelope.content
            assert isinstance(content, bytes)
            self.arrived.append(BytesParser(policy=default).parsebytes(content))
        if self.on_arrival is not None:
            self.on_arrival()
        return answer

    @property
    def subjects(self) -> list[str]:
        """Of what has arrived, in order."""
        return [str(message["Subject"]) for message in self.arrived]


@dataclass
class Posted:
    """What came in at the https address."""

    path: str
    headers: dict[str, str]
    body: bytes


@dataclass
class Receiver:
    """A user's https address; `statuses` are answered in turn, then 204."""

    url: str
    posted: list[Posted] = field(default_factory=list)
    statuses: list[int] = field(default_factory=list)


@dataclass(frozen=True)
class Certificate:
    """A certificate for localhost and hooks.example, which vouches for itself."""

    file: Path

    @property
    def server(self) -> ssl.SSLContext:
        """For who shows it."""
        context = ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        context.load_cert_chain(self.file)
        return context

    @property
    def client(self) -> ssl.SSLContext:
        """For who believes it."""
        return ssl.create_default_context(cafile=str(self.file))


@pytest.fixture(scope="session")
def certificate(tmp_path_factory: pytest.TempPathFactory) -> Certificate:
    """Made once."""
    key, name = ec.generate_private_key(ec.SECP256R1()), x509.Name([])
    now = datetime.now(UTC)
    made = (
        x509.CertificateBuilder(name, name, key.public_key(), x509.random_serial_number())
        .not_valid_before(now - timedelta(days=1))
        .not_valid_after(now + timedelta(days=1))
        .add_extension(x509.SubjectAlternativeName([x509.DNSName("localhost"), x509.DNSName("hooks.example")]), True)
        .add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
        .sign(key, hashes.SHA256())
    )
    file = tmp_path_factory.mktemp("certificate") / "both.pem"
    secret = key.private_bytes(
        serialization.Encoding.PEM, serialization.PrivateFormat.PKCS8, serialization.NoEncryption()
    )
    file.write_bytes(secret + made.public_bytes(serialization.Encoding.PEM))
    return Certificate(file)


@pytest.fixture
def open_office() -> Iterator[Callable[..., PostOffice]]:
    """`open_office(tls_context=…, require_starttls=True)`: a mail server in aiosmtpd's words."""
    controllers: list[Controller] = []

    def start(*, is_tls: bool = False, **options: Any) -> PostOffice:
        office = PostOffice(free_port())
        if is_tls:
            options["ssl_context"] = options.pop("tls_context")
        controller = Controller(office, hostname="127.0.0.1", port=office.port, **options)
        controller.start()
        controllers.append(controller)
        return office

    yield start
    for controller in controllers:
        controller.stop()


def admits(_server: SMTP, _session: Session, _envelope: Envelope, _mechanism: str, given: object) -> AuthResult:
    """The one user of the mail server."""
    is_known = isinstance(given, LoginPassword) and given == LoginPassword(NAME.encode(), PASSWORD.encode())
    return AuthResult(success=is_known, handled=False)


@pytest.fixture
def post_office(open_office: Callable[..., PostOffice]) -> PostOffice:
    """A plain mail server."""
    return open_office()


@pytest.fixture(name="settings")
def _settings(settings_for: Callable[..., Settings], post_office: PostOffice) -> Settings:
    """An installation that hands its mail in there."""
    return settings_for(
        SMTP_URL=f"smtp://localhost:{post_office.port}", SMTP_TLS="none", MAIL_FROM="Patchbay <patchbay@hub.example>"
    )


@pytest.fixture
def receiver(certificate: Certificate, context: None) -> Iterator[Receiver]:
    """An https server, known as hooks.example to an installation whose operator has opened it."""
    found = Receiver("")

    class Handler(BaseHTTPRequestHandler):
        def do_POST(self) -> None:
            body = self.rfile.read(int(self.headers["Content-Length"]))
            headers = {name.lower(): value for name, value in self.headers.items()}
            found.posted.append(Posted(self.path, headers, body))
            self.send_response(found.statuses.pop(0) if found.statuses else 204)
            self.send_header("Location", "https://169.254.169.254/")
            self.send_header("Content-Length", "0")
            self.end_headers()

        def log_message(self, format: str, *args: object) -> None:  # noqa: A002 - the name http.server gives it
            """Nobody reads it."""

    server = ThreadingHTTPServer(("127.0.0.1", 0), Handler)
    server.daemon_threads = True
    server.socket = certificate.server.wrap_socket(server.socket, server_side=True)
    thread = threading.Thread(target=server.serve_forever, args=(0.02,), daemon=True)
    thread.start()
    found.url = f"https://hooks.example:{server.server_port}/alerts"
    allowed = (f"hooks.example:{server.server_port}",)
    net.use(Net(None, "Patchbay/1", allowed, resolve=lambda _host, _s: ["127.0.0.1"], tls=certificate.client))
    yield found
    server.shutdown()
    server.server_close()
    thread.join()
