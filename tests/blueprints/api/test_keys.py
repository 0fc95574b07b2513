"""Listing and revoking API keys over the JSON API."""

from collections.abc import Callable, Mapping

from flask.testing import FlaskClient

from patchbay.models import User

KeyFor = Callable[..., Mapping[str, str]]


def test_the_own_keys_are_listed_without_their_secret(
    client: FlaskClient, ada: User, cleo: User, key_for: KeyFor
) -> None:
    headers = key_for(ada, "runs:read")
    key_for(cleo)

    answer = client.get("/api/keys", headers=headers)

    (key,) = answer.get_json()["data"]
    secret = headers["Authorization"].removeprefix("Bearer ")
    assert (key["name"], key["scopes"], key["revokedAt"]) == ("a test", ["runs:read"], None)
    assert key["tail"] == secret[-4:]
    assert secret not in answer.get_data(as_text=True)
    assert "hash" not in answer.get_data(as_text=True)


def test_a_revoked_key_is_refused_from_then_on(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    all_scopes, doomed = key_for(ada), key_for(ada, "runs:read")
    doomed_id = _id_of(client, doomed)

    answer = client.delete(f"/api/keys/{doomed_id}", headers=all_scopes)

    assert (answer.status_code, answer.get_json()) == (200, {"success": True})
    refused = client.get("/api/runs", headers=doomed)
    assert (refused.status_code, refused.get_json()["type"]) == (401, "UNAUTHENTICATED")


def test_a_key_may_end_itself(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    headers = key_for(ada, "runs:read")

    answer = client.delete(f"/api/keys/{_id_of(client, headers)}", headers=headers)

    assert answer.status_code == 200
    assert client.get("/api/keys", headers=headers).status_code == 401


def test_a_key_without_all_scopes_may_not_end_another(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    other = key_for(ada)
    other_id = _id_of(client, other)

    answer = client.delete(f"/api/keys/{other_id}", headers=key_for(ada, "admin", "runs:write"))

    assert answer.status_code == 403
    assert client.get("/api/keys", headers=other).status_code == 200


def test_a_session_may_end_any_own_key(
    client: FlaskClient, ada: User, key_for: KeyFor, login: Callable[[FlaskClient, User], str]
) -> None:
    headers = key_for(ada)
    key_id = _id_of(client, headers)
    token = login(client, ada)

    answer = client.delete(f"/api/keys/{key_id}", headers={"X-CSRF-Token": token})

    assert answer.status_code == 200
    assert client.get("/api/keys", headers=headers).status_code == 401


def test_anothers_key_is_not_found(client: FlaskClient, ada: User, cleo: User, key_for: KeyFor) -> None:
    headers = key_for(ada)

    answer = client.delete(f"/api/keys/{_id_of(client, headers)}", headers=key_for(cleo))

    assert answer.status_code == 404
    assert client.get("/api/keys", headers=headers).status_code == 200


def test_the_list_is_read_on_with_its_cursor(client: FlaskClient, ada: User, key_for: KeyFor) -> None:
    _, _, headers = key_for(ada), key_for(ada), key_for(ada)

    first = client.get("/api/keys?limit=2", headers=headers).get_json()
    rest = client.get(f"/api/keys?limit=2&cursor={first['nextCursor']}", headers=headers).get_json()

    assert (len(first["data"]), len(rest["data"]), rest["nextCursor"]) == (2, 1, None)


def _id_of(client: FlaskClient, headers: Mapping[str, str]) -> str:
    tail = headers["Authorization"][-4:]
    keys = client.get("/api/keys", headers=headers).get_json()["data"]
    return next(str(key["id"]) for key in keys if key["tail"] == tail)
