"""Every kind of fault, seen from the other end of a real connection."""

import socket
import time
from urllib.parse import urlsplit

import pytest
import requests

KEY = "google-drive"
FILES = "/www.googleapis.com/drive/v3/files"


def order(url: str, **fault: object) -> str:
    answer = requests.post(f"{url}/_sandbox/{KEY}/faults", json=fault, timeout=10)
    assert answer.status_code == 201
    return str(answer.json()["id"])


def names(ada: requests.Session, url: str) -> list[str]:
    answer = ada.get(url + FILES, timeout=10)
    assert answer.status_code == 200
    return [file["name"] for file in answer.json()["files"]]


def last_row(url: str) -> dict[str, object]:
    rows = requests.get(f"{url}/_sandbox/{KEY}/requests", timeout=10).json()["requests"]
    return dict(rows[-1])


def test_rate_limit_speaks_the_platforms_dialect(ada: requests.Session, url: str) -> None:
    order(url, kind="rate_limit")

    throttled = ada.get(url + FILES, timeout=10)

    assert throttled.status_code == 403
    assert throttled.json()["error"]["errors"][0]["reason"] == "userRateLimitExceeded"
    assert names(ada, url) == []


def test_server_error_has_the_platforms_body(ada: requests.Session, url: str) -> None:
    order(url, kind="server_error")

    failed = ada.get(url + FILES, timeout=10)

    assert failed.status_code == 503
    assert failed.json()["error"]["errors"][0]["reason"] == "backendError"


def test_hang_holds_the_call_and_then_drops_it(ada: requests.Session, url: str) -> None:
    order(url, kind="hang", seconds=0.3)
    begun = time.monotonic()

    with pytest.raises(requests.ConnectionError):
        ada.post(url + FILES, json={"name": "never"}, timeout=10)

    assert time.monotonic() - begun >= 0.3
    assert names(ada, url) == []


def test_reset_cuts_the_connection_before_any_work(ada: requests.Session, url: str) -> None:
    order(url, kind="reset")
    parts = urlsplit(url)
    body = b'{"name": "never"}'
    head = f"POST {FILES} HTTP/1.1\r\nHost: {parts.netloc}\r\nAuthorization: {ada.headers['Authorization']!s}\r\n"
    with socket.create_connection(("127.0.0.1", parts.port or 0), 10) as connection:
        connection.sendall(head.encode() + b"Content-Length: %d\r\n\r\n" % len(body) + body)

        with pytest.raises(ConnectionResetError):
            connection.recv(100)

    assert names(ada, url) == []


def test_malformed_answer_is_no_json(ada: requests.Session, url: str) -> None:
    order(url, kind="malformed")

    answer = ada.get(url + FILES, timeout=10)

    assert answer.status_code == 200
    assert answer.headers["Content-Type"] == "application/json"
    with pytest.raises(requests.JSONDecodeError):
        answer.json()


def test_truncated_answer_promises_more_than_it_sends(ada: requests.Session, url: str) -> None:
    order(url, kind="truncated")

    with pytest.raises(requests.exceptions.ChunkedEncodingError, match="IncompleteRead"):
        ada.get(url + FILES, timeout=10)

    assert last_row(url)["status"] == 200


def test_slow_answer_trickles_but_arrives_whole(ada: requests.Session, url: str) -> None:
    order(url, kind="slow", seconds=0.4)
    begun = time.monotonic()

    assert names(ada, url) == []

    assert time.monotonic() - begun >= 0.35


def test_expired_token_strikes_all_present_tokens_at_once(ada: requests.Session, url: str) -> None:
    order(url, kind="expired_token")

    assert ada.get(url + FILES, timeout=10).status_code == 401
    assert requests.get(f"{url}/_sandbox/{KEY}/faults", timeout=10).json() == {"faults": []}


def test_revoked_grant_kills_the_refresh_token_for_good(url: str) -> None:
    tokens = requests.post(f"{url}/_sandbox/{KEY}/token", json={}, timeout=10).json()
    order(url, kind="revoked_grant")

    answer = requests.post(
        f"{url}/oauth2.googleapis.com/token",
        data={"grant_type": "refresh_token", "refresh_token": tokens["refresh_token"]},
        auth=("sandbox-google-drive", "sandbox-secret-google-drive"),
        timeout=10,
    )

    assert answer.status_code == 400
    assert answer.json()["error"] == "invalid_grant"


def test_lost_response_does_the_work(ada: requests.Session, url: str) -> None:
    order(url, kind="lost_response")

    with pytest.raises(requests.ConnectionError):
        ada.post(url + FILES, json={"name": "done"}, timeout=10)

    assert last_row(url) | {"status": None, "fault": "lost_response"} == last_row(url)
    assert names(ada, url) == ["done"]


def test_a_gateway_that_times_out_does_not_know_that_the_work_is_done(ada: requests.Session, url: str) -> None:
    order(url, kind="gateway_timeout")

    answer = ada.post(url + FILES, json={"name": "done"}, timeout=10)

    assert (answer.status_code, answer.headers["Content-Type"]) == (504, "text/html; charset=utf-8")
    assert last_row(url) | {"status": 504, "fault": "gateway_timeout"} == last_row(url)
    assert names(ada, url) == ["done"]


def test_times_counts_strikes(ada: requests.Session, url: str) -> None:
    order(url, kind="server_error", times=2)

    statuses = [ada.get(url + FILES, timeout=10).status_code for _ in range(3)]

    assert statuses == [503, 503, 200]


def test_times_zero_lasts_until_deleted(ada: requests.Session, url: str) -> None:
    fault = order(url, kind="server_error", times=0)
    statuses = [ada.get(url + FILES, timeout=10).status_code for _ in range(3)]

    deleted = requests.delete(f"{url}/_sandbox/{KEY}/faults/{fault}", timeout=10)

    assert statuses == [503, 503, 503]
    assert deleted.status_code == 204
    assert names(ada, url) == []


def test_rate_zero_never_strikes_and_is_not_used_up(ada: requests.Session, url: str) -> None:
    order(url, kind="server_error", rate=0)

    assert names(ada, url) == []

    assert len(requests.get(f"{url}/_sandbox/{KEY}/faults", timeout=10).json()["faults"]) == 1


def test_match_spares_other_calls(ada: requests.Session, url: str) -> None:
    order(url, kind="server_error", match="POST www.googleapis.com/drive/v3/files")

    assert names(ada, url) == []

    assert ada.post(url + FILES, json={"name": "x"}, timeout=10).status_code == 503


def test_fault_without_match_spares_the_consent_page(url: str) -> None:
    order(url, kind="server_error")
    consent = f"{url}/accounts.google.com/o/oauth2/v2/auth"
    query = {
        "client_id": "sandbox-google-drive",
        "redirect_uri": "http://localhost/cb",
        "response_type": "code",
        "scope": "openid",
    }

    assert requests.get(consent, params=query, timeout=10).status_code == 200


def test_two_faults_strike_in_the_order_given(ada: requests.Session, url: str) -> None:
    order(url, kind="rate_limit")
    order(url, kind="server_error")

    assert [ada.get(url + FILES, timeout=10).status_code for _ in range(3)] == [403, 503, 200]


@pytest.mark.parametrize(
    "wrong",
    [{}, {"kind": "flood"}, {"kind": "hang", "times": -1}, {"kind": "hang", "rate": 2}, {"kind": "hang", "often": 1}],
)
def test_senseless_order_is_refused(url: str, wrong: dict[str, object]) -> None:
    answer = requests.post(f"{url}/_sandbox/{KEY}/faults", json=wrong, timeout=10)

    assert answer.status_code == 422
    assert answer.json()["error"]


def test_deleting_an_unknown_fault_is_not_found(url: str) -> None:
    assert requests.delete(f"{url}/_sandbox/{KEY}/faults/99", timeout=10).status_code == 404


def test_deleting_all_faults_frees_the_calls(ada: requests.Session, url: str) -> None:
    order(url, kind="server_error", times=0)
    order(url, kind="rate_limit", times=0)

    assert requests.delete(f"{url}/_sandbox/{KEY}/faults", timeout=10).status_code == 204

    assert names(ada, url) == []


@pytest.mark.parametrize("kind", ["server_error", "expired_token"])
def test_a_fault_that_has_struck_can_still_be_deleted(ada: requests.Session, url: str, kind: str) -> None:
    faults = f"{url}/_sandbox/{KEY}/faults"
    fault = requests.post(faults, json={"kind": kind}, timeout=10).json()["id"]
    ada.get(url + FILES, timeout=10)

    deleted = requests.delete(f"{faults}/{fault}", timeout=10)

    assert deleted.status_code == 204
    assert requests.get(faults, timeout=10).json() == {"faults": []}
