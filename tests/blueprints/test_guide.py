"""The troubleshooting guide: one entry per error and per alert, reached from where they are shown."""

import pytest
from flask import Flask
from flask.testing import FlaskClient

from blueprints.rendering.problems import GUIDE, answer_problem
from patchbay import errors
from patchbay.models import AlertKind

CODES = sorted({kind.code for kind in errors._ALL.values()})


@pytest.mark.parametrize("entry", [*CODES, *AlertKind])
def test_every_error_and_every_alert_has_its_place_in_the_guide(client: FlaskClient, entry: str) -> None:
    assert f'id="{entry}"' in client.get("/help/troubleshooting").text


def test_the_guide_is_read_without_a_login(client: FlaskClient) -> None:
    answer = client.get("/help/troubleshooting")

    assert answer.status_code == 200
    assert answer.text.count("<h1") == 1
    assert "&lt;PUBLIC_URL&gt;" in answer.text
    assert '.md"' not in answer.text  # other documents are no pages


def test_an_error_page_leads_to_its_entry(client: FlaskClient) -> None:
    assert "/help/troubleshooting#NOT_FOUND" in client.get("/no/such/page").text
    assert set(GUIDE.values()) <= set(CODES)


@pytest.mark.parametrize("error", [errors.OAuthRefused, errors.SyncFailed, errors.NetworkError])
def test_an_error_of_a_platform_leads_to_the_entry_of_its_own_type(
    app: Flask, error: type[errors.PatchbayError]
) -> None:
    with app.test_request_context("/integrations"):
        page = answer_problem(error("", provider="Etsy"))

    assert f"/help/troubleshooting#{error.code}" in page.get_data(as_text=True)
