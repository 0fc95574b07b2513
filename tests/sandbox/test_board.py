"""The page at `/_sandbox/` and its forms, as a browser without scripts uses them."""

import re
from collections.abc import Iterator

import pytest
import requests
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page

KEY = "google-drive"
CONSENT = (
    "/accounts.google.com/o/oauth2/v2/auth?client_id=sandbox-google-drive&response_type=code&state=st&access_type=offline"
    "&redirect_uri=http%3A%2F%2Flocalhost%3A{port}%2F_sandbox%2F"
    "&scope=openid%20email%20https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fdrive.file"
)


@pytest.fixture(scope="module")
def browser_page(browser: Browser) -> Iterator[Page]:
    page = browser.new_page()
    yield page
    page.close()


def send(url: str, title: str, **fields: str) -> requests.Response:
    page = requests.get(f"{url}/_sandbox/", timeout=10).text
    [board_key] = set(re.findall(r'name="board_key" value="([^"]+)"', page))
    body = {"board_key": board_key, "platform": KEY, "form": title} | fields
    return requests.post(f"{url}/_sandbox/", data=body, timeout=10)


def test_page_shows_platform_requests_and_faults(ada: requests.Session, url: str) -> None:
    ada.get(f"{url}/www.googleapis.com/drive/v3/files", timeout=10)
    requests.post(f"{url}/_sandbox/{KEY}/faults", json={"kind": "slow", "match": "upload"}, timeout=10)

    page = requests.get(f"{url}/_sandbox/", timeout=10)

    assert page.status_code == 200
    assert "default-src 'none'" in page.headers["Content-Security-Policy"]
    assert "GET www.googleapis.com/drive/v3/files" in page.text
    assert "<td>slow</td>" in page.text


def test_forms_do_what_the_control_calls_do(url: str) -> None:
    assert '"files": 60' in send(url, "Add content", count="60", seed="3").text.replace("&#34;", '"')
    assert send(url, "Order a fault", kind="server_error", times="0").status_code == 200
    assert send(url, "Set a storage limit", limit="1000").status_code == 200
    assert "ya29." in send(url, "Make a token", account="ben@example.org").text
    faults = requests.get(f"{url}/_sandbox/{KEY}/faults", timeout=10).json()["faults"]
    assert [(fault["kind"], fault["times"]) for fault in faults] == [("server_error", 0)]

    assert send(url, "Delete a fault", fault=faults[0]["id"]).status_code == 200
    assert send(url, "Back to the first state", provider=KEY).status_code == 200

    assert requests.get(f"{url}/_sandbox/{KEY}/faults", timeout=10).json() == {"faults": []}
    assert requests.get(f"{url}/_sandbox/{KEY}/state", timeout=10).json()["collections"]["files"] == 0


def test_refused_form_says_why(url: str) -> None:
    answer = send(url, "Add content", count="many")

    assert answer.status_code == 422
    assert "count must be a number" in answer.text


@pytest.mark.parametrize("fields", [{"board_key": "guessed"}, {"form": "No such form"}, {"platform": "nobody"}])
def test_forged_form_is_refused(url: str, fields: dict[str, str]) -> None:
    assert send(url, "Delete all faults", **fields).status_code in (403, 404)


def test_board_is_accessible_and_works_in_a_browser(url: str, browser_page: Page) -> None:
    browser_page.goto(f"{url}/_sandbox/")

    assert Axe().run(browser_page).response["violations"] == []

    form = browser_page.get_by_role("form", name="Order a fault Google Drive")
    form.get_by_label("times").fill("0")
    form.get_by_role("button").click()
    assert "The call answered" in browser_page.get_by_role("status").inner_text()


@pytest.mark.parametrize("scheme", ["light", "dark"])
def test_consent_page_is_accessible(url: str, browser_page: Page, scheme: str) -> None:
    browser_page.emulate_media(color_scheme=scheme)  # type: ignore[arg-type] # one of the two it takes
    browser_page.goto(url + CONSENT.format(port=url.rpartition(":")[2]))

    assert Axe().run(browser_page).response["violations"] == []


def test_person_refuses_one_scope_and_allows_the_rest(url: str, browser_page: Page) -> None:
    browser_page.goto(url + CONSENT.format(port=url.rpartition(":")[2]))
    browser_page.get_by_label("Ben").check()
    browser_page.get_by_label("See, change and make only the files").uncheck()

    browser_page.get_by_role("button", name="Allow").click()

    assert "scope=openid+https%3A%2F%2Fwww.googleapis.com%2Fauth%2Fuserinfo.email&" in browser_page.url
    assert "state=st" in browser_page.url
