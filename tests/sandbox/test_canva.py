"""Canva's users, designs and limits, the faults in its dialect, and the control calls that only it has."""

import time

import pytest
import requests

from tests.sandbox.canva_account import Account, opened, picture


def test_the_user_and_the_name_are_told_apart(url: str) -> None:
    ada = Account(url)

    me = ada.ask("users/me")["team_user"]

    assert me["user_id"].startswith("oU")
    assert me["team_id"].startswith("oB")
    assert ada.ask("users/me/profile") == {"profile": {"display_name": "Ada"}}


def test_a_call_without_a_token_with_a_wrong_one_and_with_a_revoked_one_are_told_apart(url: str) -> None:
    ada = Account(url)
    address = f"{url}/api.canva.com/rest/v1/users/me"

    none = requests.get(address, timeout=10)
    wrong = requests.get(address, headers={"Authorization": "Bearer nonsense"}, timeout=10)
    refresh_token = requests.get(address, headers={"Authorization": f"Bearer {ada.token['refresh_token']}"}, timeout=10)
    ada.control("POST", "faults", json={"kind": "revoked_grant"})
    revoked = ada.call("GET", "users/me")

    assert none.json() == {"code": "invalid_access_token", "message": "Missing Authorization header"}
    assert (
        wrong.json() == refresh_token.json() == {"code": "invalid_access_token", "message": "Access token is invalid"}
    )
    assert revoked.json() == {"code": "revoked_access_token", "message": "Access token is revoked"}
    assert {none.status_code, wrong.status_code, revoked.status_code} == {401}


@pytest.mark.parametrize(
    ("method", "path", "scope"),
    [
        ("GET", "users/me/profile", "profile:read"),
        ("GET", "designs", "design:meta:read"),
        ("GET", "designs/DAF0summer1", "design:meta:read"),
        ("GET", "designs/DAF0summer1/export-formats", "design:content:read"),
        ("POST", "exports", "design:content:read"),
        ("GET", "exports/x", "design:content:read"),
        ("POST", "asset-uploads", "asset:write"),
        ("GET", "asset-uploads/x", "asset:read"),
        ("GET", "assets/x", "asset:read"),
        ("PATCH", "assets/x", "asset:write"),
        ("DELETE", "assets/x", "asset:write"),
        ("GET", "folders/uploads/items", "folder:read"),
    ],
)
def test_every_endpoint_wants_its_scope_and_no_other_implies_it(url: str, method: str, path: str, scope: str) -> None:
    others = {
        "design:meta:read",
        "design:content:read",
        "design:content:write",
        "asset:read",
        "asset:write",
        "folder:read",
        "profile:read",
    } - {scope}
    ada = Account(url, scopes=sorted(others))

    answer = ada.call(method, path)

    assert answer.status_code == 403
    assert answer.json() == {"code": "missing_scope", "message": f"Missing scopes: [{scope}]"}


def test_the_user_needs_no_scope_at_all(url: str) -> None:
    assert Account(url, scopes="comment:read").call("GET", "users/me").status_code == 200


def test_an_unknown_path_and_a_wrong_method_are_told_apart(url: str) -> None:
    ada = Account(url)

    unknown, wrong = ada.call("GET", "unicorns"), ada.call("DELETE", "designs")

    assert (unknown.status_code, unknown.json()["code"]) == (404, "endpoint_not_found")
    assert (wrong.status_code, wrong.json()["code"]) == (405, "bad_http_method")


# -- designs


def test_a_design_is_shown_with_addresses_that_change(url: str) -> None:
    ada = Account(url)

    first, second = (ada.ask("designs/DAF0lookbk1")["design"] for _ in range(2))

    assert (first["title"], first["page_count"], first["design_types"]) == ("Autumn lookbook", 4, ["presentation"])
    assert first["owner"] == ada.ask("users/me")["team_user"]
    assert first["created_at"] < first["updated_at"] < time.time()
    assert first["urls"]["edit_url"] != second["urls"]["edit_url"]
    assert opened(ada.fetch(first["thumbnail"]["url"]).content).width == first["thumbnail"]["width"]


def test_a_design_may_lack_title_thumbnail_and_pages(url: str) -> None:
    ada = Account(url)

    untitled, notes = (ada.ask(f"designs/{identity}")["design"] for identity in ("DAF0untitl1", "DAF0notes01"))

    assert "title" not in untitled
    assert {"thumbnail", "page_count"} & set(notes) == set()


def test_the_list_goes_on_until_there_is_no_continuation(url: str) -> None:
    ada = Account(url)

    in_pages = ada.designs(limit=5)
    page = ada.ask("designs", limit=5)

    assert [each["id"] for each in in_pages] == [each["id"] for each in ada.ask("designs", limit=100)["items"]]
    assert len(in_pages) == 13
    assert len(page["items"]) == 5
    assert "continuation" not in ada.ask("designs", limit=13)


@pytest.mark.parametrize(("sort", "key"), [("modified", "updated_at"), ("title", "title")])
def test_the_list_is_sorted_both_ways(url: str, sort: str, key: str) -> None:
    ada = Account(url)

    rising, falling = (
        [(str(each.get(key, "")).casefold(), each["id"]) for each in ada.designs(sort_by=f"{sort}_{way}", limit=4)]
        for way in ("ascending", "descending")
    )

    assert rising == sorted(rising)
    assert falling == rising[::-1]


def test_the_list_is_narrowed_by_words_and_by_owner(url: str) -> None:
    ada = Account(url)

    found = [each["title"] for each in ada.designs(query="POSTER fern")]
    shared = [each["title"] for each in ada.designs(ownership="shared")]

    assert found == ["Fern poster, A3"]
    assert shared == ["Ben's banner"]
    assert len(ada.designs(ownership="owned")) == 12
    assert ada.designs(query="nothing like it") == []


@pytest.mark.parametrize(
    "params",
    [
        {"limit": "0"},
        {"limit": "101"},
        {"limit": "many"},
        {"sort_by": "colour"},
        {"ownership": "theirs"},
        {"query": "x" * 256},
        {"continuation": "nonsense"},
        {"limit": ["1", "2"]},
    ],
)
def test_parameters_that_make_no_sense_are_refused(url: str, params: dict[str, str]) -> None:
    answer = Account(url).call("GET", "designs", params=params)

    assert answer.status_code == 400
    assert set(answer.json()) == {"code", "message"}


def test_designs_of_others_are_forbidden_and_unknown_ones_not_found(url: str) -> None:
    ada = Account(url)

    foreign, unknown, odd = (ada.call("GET", f"designs/{each}") for each in ("DAF0benown1", "DAnowhere", "a%20b"))

    assert (foreign.status_code, foreign.json()["code"]) == (403, "permission_denied")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "design_not_found")
    assert (odd.status_code, odd.json()["code"]) == (400, "invalid_request")


# -- limits


def test_a_user_may_ask_who_he_is_ten_times_a_minute(url: str) -> None:
    ada, ben = Account(url), Account(url, account="ben@example.org")

    answers = [ada.call("GET", "users/me") for _ in range(11)]

    assert [answer.status_code for answer in answers] == [200] * 10 + [429]
    assert answers[-1].json() == {"code": "too_many_requests", "message": "Too many requests to usersMe"}
    assert "Retry-After" not in answers[-1].headers
    assert ben.call("GET", "users/me").status_code == 200
    assert ada.call("GET", "users/me/profile").status_code == 200


def test_exports_have_a_limit_of_the_day(url: str) -> None:
    ada = Account(url)
    ada.control("POST", "exports-used", json={})

    answer = ada.export("DAF0summer1")

    assert answer.status_code == 429
    assert answer.json()["message"] == "Too many daily export requests for user"


# -- faults and control calls


def test_rate_limit_and_server_error_speak_the_dialect(url: str) -> None:
    ada = Account(url)
    ada.control("POST", "faults", json={"kind": "rate_limit", "seconds": 30})
    ada.control("POST", "faults", json={"kind": "server_error"})

    throttled, failed = ada.call("GET", "designs"), ada.call("GET", "designs")

    assert (throttled.status_code, throttled.json()["code"]) == (429, "too_many_requests")
    assert "Retry-After" not in throttled.headers
    assert (failed.status_code, failed.json()["code"]) == (500, "internal_error")


def test_an_expired_token_is_invalid_and_can_be_refreshed(url: str) -> None:
    ada = Account(url)
    ada.control("POST", "faults", json={"kind": "expired_token"})

    refused = ada.call("GET", "users/me")
    form = {"grant_type": "refresh_token", "refresh_token": ada.token["refresh_token"]}
    answer = requests.post(
        f"{url}/api.canva.com/auth/v1/oauth/token",
        data=form,
        auth=("sandbox-canva", "sandbox-secret-canva"),
        timeout=10,
    )

    assert refused.json()["code"] == "invalid_access_token"
    assert answer.status_code == 200


def test_a_lost_response_has_done_the_work(url: str) -> None:
    ada = Account(url)
    ada.control("POST", "faults", json={"kind": "lost_response", "match": "POST api.canva.com/rest/v1/asset-uploads"})

    with pytest.raises(requests.ConnectionError):
        ada.upload(picture())

    assert ada.control("GET", "state").json()["collections"]["assets"] == 1


def test_the_ledger_names_account_and_grant_and_hides_secrets(url: str) -> None:
    ada = Account(url)
    ada.ask("users/me")
    requests.post(
        f"{url}/api.canva.com/rest/v1/oauth/token",
        data={"grant_type": "refresh_token", "refresh_token": ada.token["refresh_token"]},
        auth=("sandbox-canva", "sandbox-secret-canva"),
        timeout=10,
    )

    call, token = ada.control("GET", "requests").json()["requests"]

    assert (call["path"], call["account"], call["grantType"]) == ("/rest/v1/users/me", "ada@example.org", None)
    assert (token["path"], token["account"], token["grantType"]) == (
        "/rest/v1/oauth/token",
        "ada@example.org",
        "refresh_token",
    )
    assert ada.token["refresh_token"] not in str([call, token])


def test_generated_designs_are_the_same_again_and_take_the_place_of_the_others(url: str) -> None:
    ada, ben = Account(url), Account(url, account="ben@example.org")

    def ids() -> list[str]:
        answer = ada.control("POST", "generate", json={"count": 250, "seed": 3}).json()
        assert answer == {"designs": 250}
        return [each["id"] for each in ada.designs(limit=100)]

    first, again = ids(), ids()

    assert first == again
    assert len(set(first)) == 250
    assert [each["title"] for each in ben.designs()] == ["Ben's banner", "Ben's draft"]


@pytest.mark.parametrize("wanted", [{}, {"count": -1}, {"count": 1, "seed": "x"}, {"count": 1, "colour": "red"}])
def test_generation_refuses_what_makes_no_sense(url: str, wanted: dict[str, object]) -> None:
    assert Account(url).control("POST", "generate", json=wanted).status_code == 422


def test_a_deleted_design_is_gone_for_everybody(url: str) -> None:
    ada, ben = Account(url), Account(url, account="ben@example.org")

    deleted = ada.control("DELETE", "designs/DAF0benshr1")

    assert deleted.status_code == 204
    assert ada.control("DELETE", "designs/DAF0benshr1").status_code == 404
    for account in (ada, ben):
        assert account.call("GET", "designs/DAF0benshr1").status_code == 404
        assert "Ben's banner" not in [each.get("title") for each in account.designs()]


def test_state_shows_every_collection(url: str) -> None:
    ada = Account(url)
    ada.uploaded(picture())

    totals = ada.control("GET", "state").json()["collections"]
    pages = {name: ada.control("GET", f"state?collection={name}").json()["data"] for name in totals}

    assert totals == {"designs": 14, "assets": 1}
    assert {name: len(page) for name, page in pages.items()} == totals
    assert pages["assets"][0]["name"] == "Mug"


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("jobs", {"polls": 0}),
        ("jobs", {"error": "bad_luck"}),
        ("jobs", {"colour": "red"}),
        ("room", {"bytes": -1}),
        ("room", {"account": "nobody", "bytes": 1}),
        ("exports-used", {"account": 7}),
    ],
)
def test_control_calls_refuse_what_makes_no_sense(url: str, call: str, body: dict[str, object]) -> None:
    assert Account(url).control("POST", call, json=body).status_code == 422


@pytest.mark.parametrize("wanted", [{"scopes": "design:everything"}, {"account": "nobody"}, {"shop": "x"}])
def test_a_token_is_not_given_for_nonsense(url: str, wanted: dict[str, object]) -> None:
    answer = requests.post(f"{url}/_sandbox/canva/token", json=wanted, timeout=10)

    assert answer.status_code == 422
