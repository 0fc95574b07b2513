"""Who may make which call of the JSON API: sessions, keys, scopes, forged requests, other users' names."""

from collections.abc import Callable, Mapping

import pytest
from flask import Flask
from flask.testing import FlaskClient

from patchbay.models import User, db, transaction

KeyFor = Callable[..., Mapping[str, str]]
Login = Callable[[FlaskClient, User], str]

CALLS = [
    ("GET", "/api/integrations/list", "integrations:read"),
    ("POST", "/api/integrations/list", "integrations:read"),
    ("POST", "/api/integrations/connect", "integrations:write"),
    ("POST", "/api/integrations/disconnect", "integrations:write"),
    ("POST", "/api/integrations/settings", "integrations:write"),
    ("POST", "/api/integrations/sync", "runs:write"),
    ("POST", "/api/shopify-sync", "runs:write"),
    ("GET", "/api/runs", "runs:read"),
    ("GET", "/api/runs/run_x", "runs:read"),
    ("POST", "/api/runs/run_x/cancel", "runs:write"),
    ("GET", "/api/batches", "runs:read"),
    ("POST", "/api/batches", "runs:write"),
    ("GET", "/api/batches/bat_x", "runs:read"),
    ("POST", "/api/batches/bat_x/cancel", "runs:write"),
    ("GET", "/api/recipes", "integrations:read"),
    ("POST", "/api/recipes/mockups-to-feeds", "runs:write"),
    ("GET", "/api/runs/run_x/deletions", "runs:read records:read"),
    ("POST", "/api/runs/run_x/deletions/confirm", "runs:write"),
    ("POST", "/api/runs/run_x/deletions/keep", "runs:write"),
    ("POST", "/api/runs/run_x/deletions/undo", "runs:write"),
    ("GET", "/api/runs/run_x/differences", "runs:read records:read"),
    ("POST", "/api/runs/run_x/repair", "runs:write"),
    ("POST", "/api/integrations/compare", "runs:write"),
    ("GET", "/api/integrations/shopify/streams/products/rules", "integrations:read"),
    ("PATCH", "/api/integrations/shopify/streams/products/rules", "integrations:write"),
    ("GET", "/api/schedules", "runs:read"),
    ("POST", "/api/schedules", "runs:write"),
    ("GET", "/api/schedules/sch_x", "runs:read"),
    ("PATCH", "/api/schedules/sch_x", "runs:write"),
    ("DELETE", "/api/schedules/sch_x", "runs:write"),
    ("GET", "/api/alerts", "alerts:read"),
    ("GET", "/api/alerts/alr_x", "alerts:read"),
    ("POST", "/api/alerts/alr_x/read", "alerts:write"),
    ("POST", "/api/alerts/alr_x/snooze", "alerts:write"),
    ("GET", "/api/records", "records:read"),
    ("GET", "/api/records/rec_x", "records:read"),
    ("PATCH", "/api/records/rec_x", "records:read integrations:write"),
    ("DELETE", "/api/records/rec_x/edits", "records:read integrations:write"),
    ("GET", "/api/records/clashes", "records:read"),
    ("POST", "/api/records/clashes/cla_x", "records:read integrations:write"),
    ("POST", "/api/assets", "assets:write"),
    ("GET", "/api/assets", "assets:read"),
    ("GET", "/api/templates", "assets:read"),
    ("POST", "/api/mockups", "assets:write"),
]
FOR_ANY_KEY = [("GET", "/api/keys"), ("DELETE", "/api/keys/key_x")]
ALL = [call[:2] for call in CALLS] + FOR_ANY_KEY
FOR_PLATFORMS = [("POST", "/api/integrations/keys/woocommerce")]  # nobody signs in there: what they know lets them in
SCOPES = sorted({scope for _, _, scopes in CALLS for scope in scopes.split()})


def test_every_call_is_listed_here(app: Flask) -> None:
    listed = {_rule_of(app, method, path) for method, path in ALL + FOR_PLATFORMS}
    calls = {
        (method, rule.rule)
        for rule in app.url_map.iter_rules()
        if rule.endpoint.startswith("api_")
        for method in (rule.methods or set()) - {"HEAD", "OPTIONS"}
    }

    assert calls == listed


def _rule_of(app: Flask, method: str, path: str) -> tuple[str, str]:
    rule, _ = app.url_map.bind("localhost").match(path, method, return_rule=True)
    return method, rule.rule


@pytest.mark.parametrize(("method", "path"), ALL)
def test_nobody_gets_in(client: FlaskClient, method: str, path: str) -> None:
    answer = client.open(path, method=method)

    assert (answer.status_code, answer.get_json()["type"]) == (401, "UNAUTHENTICATED")
    assert answer.get_json()["requestId"] == answer.headers["X-Request-Id"]


@pytest.mark.parametrize(
    "header",
    ["Bearer pb_unknown", "Bearer ", "Bearer", "Basic YTpi", "pb_x", "Bearer pb_" + "x" * 5000, "bearer sk_live", "💥"],
)
def test_what_is_no_key_of_ours_is_refused(client: FlaskClient, header: str) -> None:
    answer = client.get("/api/runs", headers={"Authorization": header})

    assert (answer.status_code, answer.get_json()["type"]) == (401, "UNAUTHENTICATED")


def test_a_bad_key_is_refused_even_inside_a_session(client: FlaskClient, ada: User, login: Login) -> None:
    login(client, ada)

    answer = client.get("/api/runs", headers={"Authorization": "Bearer pb_unknown"})

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("method", "path", "scope"), [(method, path, scope) for method, path, scopes in CALLS for scope in scopes.split()]
)
def test_a_key_without_the_scope_is_told_which_it_lacks(
    client: FlaskClient, ada: User, key_for: KeyFor, method: str, path: str, scope: str
) -> None:
    others = [each for each in SCOPES if each != scope]

    answer = client.open(path, method=method, headers=key_for(ada, *others))

    assert (answer.status_code, answer.get_json()["type"]) == (403, "FORBIDDEN")
    assert scope in answer.get_json()["error"]


@pytest.mark.parametrize(("method", "path", "scopes"), CALLS)
def test_a_key_with_just_the_scopes_gets_past_the_door(
    client: FlaskClient, ada: User, key_for: KeyFor, method: str, path: str, scopes: str
) -> None:
    answer = client.open(path, method=method, headers=key_for(ada, *scopes.split()))

    assert answer.status_code not in {401, 403, 500}


@pytest.mark.parametrize(("method", "path"), [call for call in ALL if call[0] != "GET"])
@pytest.mark.parametrize(
    "headers",
    [
        {},
        {"X-CSRF-Token": "wrong"},
        {"X-CSRF-Token": ""},
        {"X-CSRF-Token": "right", "Origin": "https://evil.example"},
        {"X-CSRF-Token": "right", "Sec-Fetch-Site": "cross-site"},
        {"X-CSRF-Token": "right", "Sec-Fetch-Site": "same-site"},
    ],
    ids=["none", "wrong", "empty", "foreign origin", "cross-site", "same-site"],
)
def test_a_forged_call_in_a_session_is_refused(
    client: FlaskClient, ada: User, login: Login, method: str, path: str, headers: dict[str, str]
) -> None:
    token = login(client, ada)
    sent = {name: token if text == "right" else text for name, text in headers.items()}

    answer = client.open(path, method=method, headers=sent)

    assert (answer.status_code, answer.get_json()["type"]) == (403, "FORBIDDEN")


def test_a_call_with_a_key_needs_no_csrf_token_and_makes_no_session(
    client: FlaskClient, ada: User, key_for: KeyFor
) -> None:
    answer = client.post("/api/integrations/list", headers=key_for(ada))

    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


def test_a_session_may_do_what_its_user_may(client: FlaskClient, ada: User, login: Login) -> None:
    token = login(client, ada)

    answer = client.post("/api/integrations/list", headers={"X-CSRF-Token": token, "Sec-Fetch-Site": "same-origin"})

    assert answer.status_code == 200


def test_the_key_of_a_locked_user_is_refused(app: Flask, client: FlaskClient, ben: User, key_for: KeyFor) -> None:
    headers = key_for(ben)
    with app.app_context(), transaction():
        db.session.get_one(User, ben.id).is_active = False

    answer = client.get("/api/runs", headers=headers)

    assert answer.status_code == 401


@pytest.mark.parametrize(
    ("path", "body"),
    [
        ("/api/integrations/list", {}),
        ("/api/integrations/connect", {"integrationId": "shopify", "settings": {"shop": "demo-shop"}}),
        ("/api/integrations/disconnect", {"integrationId": "shopify"}),
        ("/api/integrations/sync", {"integrationId": "shopify", "operation": "import_products"}),
        ("/api/shopify-sync", {"operation": "import_products"}),
        ("/api/runs/run_x/cancel", {}),
        ("/api/mockups", {"designId": "ast_x", "templateId": "tpl_mug"}),
        ("/api/integrations/settings", {"integrationId": "facebook", "settings": {"page": "1"}}),
        ("/api/batches", {"parts": [{"integrationId": "shopify", "operation": "import_products"}]}),
        ("/api/batches/bat_x/cancel", {}),
        ("/api/recipes/mockups-to-feeds", {"data": {"caption": "New"}}),
    ],
)
def test_a_body_in_anothers_name_is_refused(
    client: FlaskClient, ada: User, ben: User, key_for: KeyFor, path: str, body: dict[str, object]
) -> None:
    answer = client.post(path, headers=key_for(ada), json={**body, "userId": ben.id})

    assert (answer.status_code, answer.get_json()["type"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize(
    "path",
    [
        "/api/integrations/list", "/api/runs", "/api/batches", "/api/records", "/api/assets", "/api/templates",
        "/api/keys",
    ],
)  # fmt: skip
def test_a_query_in_anothers_name_is_refused(
    client: FlaskClient, ada: User, ben: User, key_for: KeyFor, path: str
) -> None:
    answer = client.get(f"{path}?userId={ben.id}", headers=key_for(ada))

    assert (answer.status_code, answer.get_json()["type"]) == (403, "FORBIDDEN")


@pytest.mark.parametrize("path", ["/", "/integrations", "/integrations/shopify/connect", "/account"])
def test_a_key_opens_pages_without_a_session(client: FlaskClient, ada: User, key_for: KeyFor, path: str) -> None:
    answer = client.get(path, headers=key_for(ada))

    assert answer.status_code == 200
    assert "Set-Cookie" not in answer.headers


def test_what_a_key_does_on_a_page_leaves_no_session(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    answer = client.post("/integrations/shopify/cancel", headers=key_for(ada))

    assert answer.status_code == 303
    assert "Set-Cookie" not in answer.headers


def test_the_token_may_stand_in_the_body_of_a_call(client: FlaskClient, ada: User, login: Login) -> None:
    token = login(client, ada)

    answer = client.post("/api/integrations/list", json={"csrf_token": token})

    assert answer.status_code == 200
