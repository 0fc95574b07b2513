"""Handing mail in: over TLS in both ways, with a password, to servers that are slow, odd or gone."""

import socket
import threading
import time
from collections.abc import Callable

import pytest
from flask import Flask

from patchbay.alerts import letters, mail
from patchbay.alerts.outcome import Problem
from patchbay.settings import Settings
from tests.patchbay.alerts.conftest import NAME, PASSWORD, Certificate, PostOffice, admits
from tests.servers import free_port

DATABASES = ("sqlite",)
Send = Callable[[int, str, str], Problem | None]


@pytest.fixture
def send(
    settings_for: Callable[..., Settings],
    app_for: Callable[[Settings], Flask],
    certificate: Certificate,
    monkeypatch: pytest.MonkeyPatch,
) -> Send:
    """`send(port, "starttls", "hub:password@")`: a test letter to Ada by way of that server."""
    monkeypatch.setenv("SSL_CERT_FILE", str(certificate.file))

    def send_by(port: int, tls: str, login: str = "") -> Problem | None:
        here = settings_for(SMTP_URL=f"smtp://{login}localhost:{port}", SMTP_TLS=tls, MAIL_FROM="hub@hub.example")
        with app_for(here).app_context():
            return mail.send(letters.test_letter("ntc_1", "en", str), "ada@example.org")

    return send_by


def said(problem: Problem | None) -> str:
    return problem.sentence if problem is not None else ""


def test_mail_goes_over_a_connection_that_is_made_secure(
    send: Send, open_office: Callable[..., PostOffice], certificate: Certificate
) -> None:
    office = open_office(tls_context=certificate.server, require_starttls=True)

    problem = send(office.port, "starttls", "")

    assert problem is None
    assert office.subjects == ["A test from Patchbay"]


def test_mail_goes_over_a_connection_that_is_secure_from_the_start(
    send: Send, open_office: Callable[..., PostOffice], certificate: Certificate
) -> None:
    office = open_office(is_tls=True, tls_context=certificate.server)

    problem = send(office.port, "tls", "")

    assert problem is None
    assert len(office.arrived) == 1


def test_no_mail_goes_out_in_the_clear_when_it_was_to_be_secure(
    send: Send, open_office: Callable[..., PostOffice]
) -> None:
    office = open_office()

    problem = send(office.port, "starttls", f"{NAME}:x@")

    assert said(problem) == "The mail server offers no connection that is secure."
    assert office.arrived == []


def test_a_certificate_that_nobody_vouches_for_is_refused(
    send: Send, open_office: Callable[..., PostOffice], certificate: Certificate, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("SSL_CERT_FILE")
    office = open_office(tls_context=certificate.server, require_starttls=True)

    problem = send(office.port, "starttls", "")

    assert said(problem) == "The mail server offers no connection that is secure."
    assert office.arrived == []


@pytest.mark.parametrize(
    ("password", "outcome"),
    [(PASSWORD, ""), ("another", "The mail server does not accept our user name and password.")],
)
def test_a_password_is_shown_to_a_secure_server(
    send: Send, open_office: Callable[..., PostOffice], certificate: Certificate, password: str, outcome: str
) -> None:
    office = open_office(
        tls_context=certificate.server, require_starttls=True, authenticator=admits, auth_required=True
    )

    problem = send(office.port, "starttls", f"{NAME}:{password.replace(' ', '%20')}@")

    assert said(problem) == outcome
    assert len(office.arrived) == (0 if outcome else 1)


def test_a_server_that_is_not_there_is_tried_again_later(send: Send) -> None:
    problem = send(free_port(), "none", "")

    assert problem == Problem("The mail server could not be reached, or did not answer in time.")


@pytest.mark.parametrize("greeting", [b"", b"2"], ids=["silent", "trickling"])
def test_a_slow_server_does_not_hold_a_worker(send: Send, greeting: bytes, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(mail, "LIMIT_S", 0.6)
    listener = socket.create_server(("127.0.0.1", 0))
    over = threading.Event()

    def trickle() -> None:
        taken, _ = listener.accept()
        with taken:
            while not over.wait(0.1):
                taken.sendall(greeting)

    thread = threading.Thread(target=trickle, daemon=True)
    thread.start()
    began = time.monotonic()

    problem = send(listener.getsockname()[1], "none", "")

    over.set()
    thread.join()
    listener.close()
    assert said(problem) == "The mail server could not be reached, or did not answer in time."
    assert time.monotonic() - began < 30  # it goes on for ever


def test_a_server_that_breaks_off_after_taking_the_message_is_believed(send: Send) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    lines = [b"250 here", b"250 yes", b"250 yes", b"354 go on", b"250 taken"]

    def play() -> None:
        taken, _ = listener.accept()
        with taken, taken.makefile("rwb") as talk:
            talk.write(b"220 hello\r\n")
            talk.flush()
            for line in lines:
                while line == b"250 taken" and talk.readline().strip() != b".":
                    pass
                if line != b"250 taken":
                    talk.readline()
                talk.write(line + b"\r\n")
                talk.flush()

    thread = threading.Thread(target=play, daemon=True)
    thread.start()

    problem = send(listener.getsockname()[1], "none", "")

    thread.join()
    listener.close()
    assert problem is None


def test_a_password_is_not_shown_in_the_settings(settings_for: Callable[..., Settings]) -> None:
    here = settings_for(SMTP_URL="smtp://hub:hunter2@mail.example:2525", MAIL_FROM="hub@hub.example")

    assert here.mail is not None
    assert (here.mail.host, here.mail.port, here.mail.password) == ("mail.example", 2525, "hunter2")
    assert "hunter2" not in repr(here)
