"""A platform whose name is not found, or whose certificate is no good: nothing is sent, runs wait, connections stay.

The names are answered by this test in the system's place, the servers are real ones with TLS of their own.
"""

import socket
import ssl
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

import pytest
from cryptography import x509
from cryptography.hazmat.primitives import hashes, serialization
from cryptography.hazmat.primitives.asymmetric import ec
from flask import Flask

from patchbay import client, clock, runs, tokens
from patchbay.errors import CertificateRefused, NetworkError
from patchbay.models import (
    Connection,
    ConnectionState,
    Run,
    RunStatus,
    Trigger,
    User,
    db,
    fresh_view,
    new_id,
    transaction,
)
from patchbay.oauth import Grant
from patchbay.settings import Settings
from patchbay.spec import Request
from tests.stage import FrozenClock, Queue, waited_out
from tests.wire import Said, Wire, listening

SHOP, ELSEWHERE = "shop.test", "elsewhere.test"
EMPTY = Said(body=[], headers={"X-WP-Total": "0", "X-WP-TotalPages": "0"})
A_DAY = timedelta(days=1)


# -- names


@dataclass
class Names:
    """What the system's resolver knows. `failures` are still to come, each answer comes after `late_s`."""

    known: set[str] = field(default_factory=set)
    failures: int = 0
    late_s: float = 0.0
    asked: int = 0

    def look_up(self, host: str) -> list[tuple[Any, ...]]:
        """In the form of `socket.getaddrinfo`."""
        self.asked += 1
        time.sleep(self.late_s)
        if self.failures > 0:
            self.failures -= 1
            raise socket.gaierror(socket.EAI_AGAIN, "Temporary failure in name resolution")
        if host not in self.known:
            raise socket.gaierror(socket.EAI_NONAME, "Name or service not known")
        return [(socket.AF_INET, socket.SOCK_STREAM, 6, "", ("127.0.0.1", 0))]


@pytest.fixture
def names(monkeypatch: pytest.MonkeyPatch) -> Names:
    """The resolver for names that end in `.test`."""
    made, ask_system = Names({SHOP, ELSEWHERE}), socket.getaddrinfo

    def getaddrinfo(host: Any, *args: Any, **options: Any) -> Any:
        ours = isinstance(host, str) and host.endswith(".test")
        return made.look_up(host) if ours else ask_system(host, *args, **options)

    monkeypatch.setattr(socket, "getaddrinfo", getaddrinfo)
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)
    return made


# -- certificates


@dataclass(frozen=True)
class Authority:
    """Who signs certificates; `path` is where its own one lies."""

    key: ec.EllipticCurvePrivateKey
    path: Path

    def signs(self, name: str = SHOP, *, ends_in: timedelta = A_DAY, by_itself: bool = False) -> Path:
        """A file with a new key and its certificate, valid for ten days until then."""
        key, ends_at = ec.generate_private_key(ec.SECP256R1()), datetime.now(UTC) + ends_in
        made = _certificate(name, "itself" if by_itself else "authority", key, ends_at)
        made = made.add_extension(x509.SubjectAlternativeName([x509.DNSName(name)]), critical=False)
        return _written(
            self.path.with_name(f"{new_id('key')}.pem"), made.sign(key if by_itself else self.key, HASH), key
        )


HASH = hashes.SHA256()


@pytest.fixture(scope="module")
def authority(tmp_path_factory: pytest.TempPathFactory) -> Authority:
    """One that nobody knows yet."""
    key, path = ec.generate_private_key(ec.SECP256R1()), tmp_path_factory.mktemp("authority") / "authority.pem"
    made = _certificate("authority", "authority", key, datetime.now(UTC) + A_DAY)
    made = made.add_extension(x509.BasicConstraints(ca=True, path_length=None), critical=True)
    _written(path, made.sign(key, HASH), None)
    return Authority(key, path)


def _certificate(
    subject: str, issuer: str, key: ec.EllipticCurvePrivateKey, ends_at: datetime
) -> x509.CertificateBuilder:
    of_subject, of_issuer = (
        x509.Name([x509.NameAttribute(x509.NameOID.COMMON_NAME, name)]) for name in (subject, issuer)
    )
    made = x509.CertificateBuilder().subject_name(of_subject).issuer_name(of_issuer).public_key(key.public_key())
    made = made.serial_number(x509.random_serial_number())
    return made.not_valid_before(ends_at - 10 * A_DAY).not_valid_after(ends_at)


def _written(path: Path, made: x509.Certificate, key: ec.EllipticCurvePrivateKey | None) -> Path:
    pem = serialization.Encoding.PEM
    text = made.public_bytes(pem)
    if key is not None:
        text += key.private_bytes(pem, serialization.PrivateFormat.PKCS8, serialization.NoEncryption())
    path.write_bytes(text)
    return path


# -- a store of the owner's own, behind TLS


@dataclass
class Store:
    """A WooCommerce store at its own address, with the certificate that was loaded last."""

    wire: Wire
    tls: ssl.SSLContext | None
    connection: Connection

    def shows(self, certificate: Path) -> None:
        """From the next handshake on."""
        assert self.tls is not None
        self.tls.load_cert_chain(certificate)


@pytest.fixture
def open_store(
    authority: Authority,
    names: Names,
    settings_for: Callable[..., Settings],
    app_for: Callable[[Settings], Flask],
    ada: User,
    monkeypatch: pytest.MonkeyPatch,
) -> Iterator[Callable[..., Store]]:
    """Ada's live connection to a new store, in the context of an app that trusts the authority."""
    monkeypatch.setenv("SSL_CERT_FILE", str(authority.path))
    closing: list[Any] = []

    @contextmanager
    def opened(certificate: Path | None, name: str) -> Iterator[Store]:
        tls = None if certificate is None else ssl.SSLContext(ssl.PROTOCOL_TLS_SERVER)
        if tls is not None and certificate is not None:
            tls.load_cert_chain(certificate)
        with listening(tls) as wire:
            place = f"{name}:{wire.url.rpartition(':')[2]}"
            app = app_for(settings_for(ALLOWED_ADDRESSES=place))
            with app.app_context():
                wire.say(EMPTY)
                yield Store(wire, tls, _connected(ada, "woocommerce", store=place))

    def make(certificate: Path | None, name: str = SHOP) -> Store:
        closing.append(opened(certificate, name))
        store: Store = closing[-1].__enter__()
        return store

    yield make
    for each in reversed(closing):
        each.__exit__(None, None, None)


def _connected(user: User, integration_id: str, **values: str) -> Connection:
    now = clock.now()
    made = Connection(
        id=new_id("con"), user_id=user.id, integration_id=integration_id, state=ConnectionState.CONNECTED,
        account_id="1", account_label="ada", scopes=["read_write"], is_sandbox=integration_id != "woocommerce",
        settings=values, setting_labels={}, token_version=1, connected_at=now, created_at=now, updated_at=now,
    )  # fmt: skip
    tokens.keep(made, Grant("ck_the-key-of-ada:cs_the-secret-of-ada", "refresh-first", now + timedelta(hours=1)))
    if integration_id == "woocommerce":
        made.refresh_token = made.token_expires_at = made.refresh_due_at = None
    with transaction() as session:
        session.add(made)
    return made


def reread(run: Run) -> Run:
    fresh_view()
    return runs.get(run.user_id, run.id)


def imported(store: Store, queue: Queue, trigger: Trigger = Trigger.API) -> Run:
    """An import of the store, as far as it comes."""
    run = runs.start(store.connection.user_id, "woocommerce", "import_products", {}, trigger)
    queue.run_all()
    return reread(run)


def is_connected(store: Store) -> bool:
    with transaction() as session:
        return session.get_one(Connection, store.connection.id, populate_existing=True).is_connected


def lines(run: Run) -> list[str]:
    return [line.message for line in runs.logs(run.id)]


# -- names that are not found


def test_a_name_that_is_not_found_is_a_network_error_after_four_tries_and_ends_no_connection(
    open_store: Callable[..., Store], authority: Authority, names: Names, queue: Queue
) -> None:
    store = open_store(authority.signs())
    names.known.clear()

    run = imported(store, queue)

    assert (run.status, run.error_kind) == (RunStatus.FAILED, "NetworkError")
    assert f"{SHOP}: name not found" in (run.error_detail or "")
    assert names.asked == 4
    assert lines(run).count("No answer from %(provider)s; trying again.") == 3
    assert is_connected(store)


def test_a_resolver_that_fails_for_a_moment_costs_a_run_nothing(
    open_store: Callable[..., Store], authority: Authority, names: Names, queue: Queue
) -> None:
    store = open_store(authority.signs())
    names.failures = 2

    run = imported(store, queue)

    assert run.status is RunStatus.SUCCEEDED
    assert names.asked == 3


@pytest.mark.parametrize(
    ("late_s", "patience_s", "outcome"),
    [(0.1, 5.0, (RunStatus.SUCCEEDED, "")), (30.0, 0.4, (RunStatus.FAILED, "name not resolved within"))],
)
def test_a_resolver_that_answers_late_is_waited_for_but_not_for_ever(
    open_store: Callable[..., Store],
    authority: Authority,
    names: Names,
    queue: Queue,
    monkeypatch: pytest.MonkeyPatch,
    late_s: float,
    patience_s: float,
    outcome: tuple[RunStatus, str],
) -> None:
    monkeypatch.setattr("patchbay.net.guard.RESOLVE_TIMEOUT_S", patience_s)
    monkeypatch.setattr("patchbay.client.TRIES", 2)
    store = open_store(authority.signs())
    names.late_s = late_s

    run = imported(store, queue)

    status, why = outcome
    assert run.status is status
    assert why in (run.error_detail or "")
    assert is_connected(store)


def test_a_run_on_a_schedule_waits_until_the_name_is_found_again(
    open_store: Callable[..., Store], authority: Authority, names: Names, queue: Queue, frozen_clock: FrozenClock
) -> None:
    store = open_store(authority.signs())
    names.known.clear()

    waiting = imported(store, queue, Trigger.SCHEDULE)
    told, said = (waiting.status, waiting.wait_reason), lines(waiting)[-1]
    names.known.add(SHOP)
    run = waited_out(waiting, frozen_clock, queue)

    assert told == ("waiting", "unavailable")
    assert said == "%(provider)s does not answer. Going on at %(time)s."
    assert run.status is RunStatus.SUCCEEDED
    assert is_connected(store)


def test_a_token_endpoint_whose_name_is_not_found_could_not_be_asked(
    names: Names,
    settings_for: Callable[..., Settings],
    app_for: Callable[[Settings], Flask],
    ada: User,
    frozen_clock: FrozenClock,
) -> None:
    with listening() as wire:
        wire.say(Said(body={"access_token": "access-second", "refresh_token": "refresh-second", "expires_in": 3600}))
        app = app_for(settings_for(SANDBOX_URL=f"http://{SHOP}:{wire.url.rpartition(':')[2]}"))
        with app.app_context():
            connection = _connected(ada, "canva")  # where a token that is sent twice ends everything
            frozen_clock.advance(hours=2)
            names.failures = 1

            with pytest.raises(NetworkError, match="name not found"):
                tokens.fresh(connection.id)
            present = db.session.get_one(Connection, connection.id, populate_existing=True)
            unasked = (present.state, present.refresh_sent_at, present.refresh_token)
            token = tokens.fresh(connection.id)

    assert unasked == (ConnectionState.CONNECTED, None, "refresh-first")
    assert token.value == "access-second"
    assert len(wire.received) == 1


# -- certificates that are no good


BAD: dict[str, Callable[[Authority], Path | None]] = {
    "made by itself": lambda authority: authority.signs(by_itself=True),
    "ended yesterday": lambda authority: authority.signs(ends_in=-A_DAY),
    "begins tomorrow": lambda authority: authority.signs(ends_in=11 * A_DAY),
    "of another name": lambda authority: authority.signs(ELSEWHERE),
}


@pytest.mark.parametrize("flaw", BAD)
def test_to_a_server_without_a_good_certificate_nothing_is_sent(
    open_store: Callable[..., Store], authority: Authority, queue: Queue, flaw: str
) -> None:
    store = open_store(BAD[flaw](authority))

    run = imported(store, queue)

    assert store.wire.received == []
    assert (run.status, run.error_kind) == (RunStatus.FAILED, "CertificateRefused")
    assert "certificate refused" in (run.error_detail or "")
    assert "renew its certificate" in run.error_params["sentence"]
    assert is_connected(store)


def test_to_a_server_without_tls_nothing_is_sent(open_store: Callable[..., Store], queue: Queue) -> None:
    store = open_store(None)

    run = imported(store, queue)

    assert store.wire.received == []
    assert (run.status, run.error_kind) == (RunStatus.FAILED, "NetworkError")
    assert "no TLS connection" in (run.error_detail or "")


def test_a_run_on_a_schedule_waits_until_the_certificate_was_renewed(
    open_store: Callable[..., Store], authority: Authority, queue: Queue, frozen_clock: FrozenClock
) -> None:
    store = open_store(authority.signs(ends_in=-A_DAY))

    waiting = imported(store, queue, Trigger.SCHEDULE)
    status, sent = waiting.status, len(store.wire.received)
    store.shows(authority.signs())
    run = waited_out(waiting, frozen_clock, queue)

    assert (status, sent) == (RunStatus.WAITING, 0)
    assert run.status is RunStatus.SUCCEEDED
    assert len(store.wire.received) > 0


def test_of_what_must_not_be_sent_twice_the_outcome_is_known(
    open_store: Callable[..., Store], authority: Authority
) -> None:
    store = open_store(authority.signs(by_itself=True))
    publishing = Request("POST", "https://{store}/wp-json/wc/v3/products", json={"name": "A shirt"})

    with pytest.raises(CertificateRefused) as refused:
        client.of_connection(store.connection).send(publishing)

    assert refused.value.was_sent is False
    assert store.wire.received == []
