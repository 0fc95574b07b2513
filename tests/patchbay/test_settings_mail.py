"""The mail server as an operator names it: what is taken, and what is refused at start with a line that says why."""

from pathlib import Path

import pytest

from patchbay import settings
from patchbay.errors import SettingsError
from patchbay.settings.mail import Mail, MailTls


def mail(home: Path, **environment: str) -> Mail | None:
    return settings.load({"PATCHBAY_HOME": str(home), "MAIL_FROM": "hub@hub.example", **environment}).mail


def test_without_a_server_there_is_no_mail(tmp_path: Path) -> None:
    assert mail(tmp_path) is None


@pytest.mark.parametrize(("tls", "port"), [("starttls", 587), ("tls", 465), ("NONE", 25)])
def test_each_way_has_its_usual_port(tmp_path: Path, tls: str, port: int) -> None:
    found = mail(tmp_path, SMTP_URL="smtp://mail.example", SMTP_TLS=tls)

    assert found is not None
    assert (found.host, found.port, found.tls) == ("mail.example", port, MailTls(tls.lower()))


def test_user_and_password_may_hold_any_character(tmp_path: Path) -> None:
    found = mail(tmp_path, SMTP_URL="smtp://hub%40hub.example:p%3Aw%2F%25@mail.example:2525")

    assert found is not None
    assert (found.username, found.password, found.port) == ("hub@hub.example", "p:w/%", 2525)


def test_the_server_may_be_named_in_a_file(tmp_path: Path) -> None:
    (tmp_path / "smtp").write_text("smtp://hub:word@mail.example\n", encoding="utf-8")

    found = mail(tmp_path, SMTP_URL_FILE=str(tmp_path / "smtp"))

    assert found is not None
    assert found.password == "word"


@pytest.mark.parametrize(
    ("environment", "name"),
    [
        ({"SMTP_URL": "http://mail.example"}, "SMTP_URL"),
        ({"SMTP_URL": "smtp://"}, "SMTP_URL"),
        ({"SMTP_URL": "smtp://mail.example:0"}, "SMTP_URL"),
        ({"SMTP_URL": "smtp://mail.example:99999"}, "SMTP_URL"),
        ({"SMTP_URL": "smtp://mail.example/path"}, "SMTP_URL"),
        ({"SMTP_URL": "smtp://[mail"}, "SMTP_URL"),
        ({"SMTP_URL": "smtp://hub:hunter2@mail.example", "SMTP_TLS": "none"}, "SMTP_TLS"),
        ({"SMTP_URL": "smtp://mail.example", "SMTP_TLS": "ssl"}, "SMTP_TLS"),
        ({"SMTP_URL": "smtp://mail.example", "MAIL_FROM": ""}, "MAIL_FROM"),
        ({"SMTP_URL": "smtp://mail.example", "MAIL_FROM": "nobody"}, "MAIL_FROM"),
        ({"SMTP_URL": "smtp://mail.example", "MAIL_FROM": "a@b.example\nBcc: c@d.example"}, "MAIL_FROM"),
    ],
)
def test_what_cannot_work_is_refused_by_name_and_without_its_password(
    tmp_path: Path, environment: dict[str, str], name: str
) -> None:
    with pytest.raises(SettingsError) as refused:
        mail(tmp_path, **environment)

    assert name in str(refused.value)
    assert "hunter2" not in str(refused.value)
