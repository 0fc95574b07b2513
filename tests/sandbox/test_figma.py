"""Figma's REST API as the sandbox speaks it: files, nodes, pictures, folders, limits and errors."""

import io
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import pytest
import requests
import time_machine
from PIL import Image

STUDIO = "1204879330016258113"
HARBOUR = "fKsq1Harbour8RdTz3Wm0x"
MEADOW = "hB72oMeadowLq9VnXc41Ye"
FREE = "wP24FreePlanSketch9Eio"
ARCHIVE = "qL08EverythingArchiveH"
Ask = Callable[..., requests.Response]


@pytest.fixture
def ask(url: str) -> Ask:
    """`ask("/v1/me", account=…, scopes=…)`: a GET as Ada with all scopes, or as told."""

    def get(path: str, account: str = "ada@example.org", scopes: str = "", **params: Any) -> requests.Response:
        wanted = {"account": account} | ({"scopes": scopes} if scopes else {})
        token = requests.post(f"{url}/_sandbox/figma/token", json=wanted, timeout=10).json()["access_token"]
        headers = {"Authorization": f"Bearer {token}"}
        return requests.get(f"{url}/api.figma.com{path}", params=params, headers=headers, timeout=20)

    return get


def control(url: str, method: str, call: str, **named: Any) -> requests.Response:
    answer = requests.request(
        method, f"{url}/_sandbox/figma/{call}", headers={"Content-Type": "application/json"}, timeout=20, **named
    )
    assert answer.ok, answer.text
    return answer


def fetched(url: str, address: str) -> requests.Response:
    return requests.get(address.replace("https://", f"{url}/"), timeout=20)


# -- who and where


def test_me_is_whose_token_it_is(ask: Ask) -> None:
    answer = ask("/v1/me", account="ben@example.org").json()

    assert (answer["handle"], answer["email"]) == ("Ben", "ben@example.org")
    assert set(answer) == {"id", "handle", "email", "img_url"}


def test_a_team_has_projects_and_projects_have_files(ask: Ask) -> None:
    team = ask(f"/v1/teams/{STUDIO}/projects").json()
    names = [
        file["name"] for each in team["projects"] for file in ask(f"/v1/projects/{each['id']}/files").json()["files"]
    ]

    assert team["name"] == "Inkfield Studio"
    assert [each["name"] for each in team["projects"]] == ["Apparel prints", "Posters", "Brand"]
    assert len(names) == 11
    assert "Lanterns 🏮 / tote" in names


def test_folders_may_lie_in_folders(ask: Ask) -> None:
    top = ask(f"/v2/teams/{STUDIO}/folders", scopes="folders:read").json()
    brand = next(each for each in top["folders"] if each["name"] == "Brand")
    below = ask(f"/v2/folders/{brand['id']}/folders", scopes="folders:read").json()
    old = ask(f"/v2/folders/{below['folders'][0]['id']}/files", scopes="folders:read").json()

    assert {each["parent_folder_id"] for each in top["folders"]} == {None}
    assert below["folders"][0]["parent_folder_id"] == brand["id"]
    assert [file["name"] for file in old["files"]] == ["Old logo"]


def test_a_team_of_others_is_refused(ask: Ask) -> None:
    assert ask(f"/v1/teams/{STUDIO}/projects", account="cleo@example.org").status_code == 403
    assert ask("/v1/teams/99/projects").status_code == 403
    assert ask("/v2/teams/99/folders", scopes="folders:read").status_code == 404


def test_what_is_no_team_id_is_refused_in_the_other_shape(ask: Ask) -> None:
    answer = ask("/v1/teams/studio/projects")

    assert answer.status_code == 400
    assert answer.json()["error"] is True
    assert answer.json()["message"] == "Invalid team id"


# -- files


def test_metadata_tells_a_file_in_few_words(ask: Ask) -> None:
    file = ask(f"/v1/files/{HARBOUR}/meta", account="ben@example.org").json()["file"]

    assert (file["name"], file["folder_name"], file["role"]) == ("Harbour collection", "Apparel prints", "viewer")
    assert file["url"] == f"https://www.figma.com/design/{HARBOUR}"
    assert "email" not in file["creator"]


@pytest.mark.parametrize("path", ["/v1/files/{}/meta", "/v1/files/{}?depth=1", "/v1/images/{}?ids=1:10"])
def test_a_file_that_one_may_not_see_is_not_found(ask: Ask, path: str) -> None:
    foreign = ask(path.format(HARBOUR), account="cleo@example.org")
    missing = ask(path.format("NoSuchFileAnywhere1234"))

    assert (foreign.status_code, foreign.json()) == (404, {"status": 404, "err": "Not found"})
    assert missing.json() == foreign.json()


def test_depth_says_how_far_down_a_file_is_told(ask: Ask) -> None:
    pages = ask(f"/v1/files/{HARBOUR}", depth=1).json()["document"]
    frames = ask(f"/v1/files/{HARBOUR}", depth=2).json()["document"]
    whole = ask(f"/v1/files/{HARBOUR}").json()["document"]

    assert [(page["name"], page["children"]) for page in pages["children"]] == [("Tees", []), ("Mugs", [])]
    assert [frame["name"] for frame in frames["children"][0]["children"]] == [
        "Harbour sun",
        "Night comet",
        "Fern study",
    ]
    assert frames["children"][0]["children"][0]["children"] == []
    assert {node["type"] for node in whole["children"][0]["children"][0]["children"]} == {
        "ELLIPSE",
        "RECTANGLE",
        "TEXT",
    }


def test_frames_may_lie_in_a_section(url: str, ask: Ask) -> None:
    page = ask("/v1/files/mT91LighthouseXs4Ok7Pw", depth=3).json()["document"]["children"][0]
    section = page["children"][1]

    images = ask("/v1/images/mT91LighthouseXs4Ok7Pw", ids=section["id"], scale="0.1").json()["images"]

    assert (section["type"], [frame["name"] for frame in section["children"]]) == ("SECTION", ["Storm", "Calm"])
    assert fetched(url, images[section["id"]]).status_code == 200


def test_ids_narrow_a_file_to_what_leads_to_them(ask: Ask) -> None:
    document = ask(f"/v1/files/{HARBOUR}", ids="1:20").json()["document"]

    assert [frame["name"] for frame in document["children"][0]["children"]] == ["Night comet"]
    assert document["children"][1]["children"] == []


@pytest.mark.parametrize("depth", ["0", "-1", "deep", "1.5"])
def test_a_senseless_depth_is_refused(ask: Ask, depth: str) -> None:
    assert ask(f"/v1/files/{HARBOUR}", depth=depth).status_code == 400


def test_a_huge_file_is_not_told_whole(ask: Ask) -> None:
    whole = ask(f"/v1/files/{ARCHIVE}")

    assert whole.status_code == 400
    assert whole.json()["err"].startswith("Request too large")
    assert ask(f"/v1/files/{ARCHIVE}", depth=2).status_code == 200


def test_nodes_that_do_not_exist_are_null(ask: Ask) -> None:
    nodes = ask(f"/v1/files/{HARBOUR}/nodes", ids="1:10,77:7", depth=1).json()["nodes"]

    assert nodes["1:10"]["document"]["name"] == "Harbour sun"
    assert nodes["77:7"] is None


def test_nodes_may_be_named_as_in_addresses(ask: Ask) -> None:
    assert set(ask(f"/v1/files/{HARBOUR}/nodes", ids="1-10").json()["nodes"]) == {"1:10"}


def test_slides_have_metadata_but_no_document(ask: Ask) -> None:
    assert ask("/v1/files/kS80SlidesForFair1Uwqe/meta").json()["file"]["editorType"] == "slides"
    assert ask("/v1/files/kS80SlidesForFair1Uwqe", depth=1).status_code == 400


def test_a_deleted_file_is_gone(url: str, ask: Ask) -> None:
    control(url, "DELETE", f"files/{MEADOW}")

    assert ask(f"/v1/files/{MEADOW}/meta").status_code == 404
    listed = ask("/v1/projects/58210044/files").json()["files"]
    assert MEADOW not in {file["key"] for file in listed}


def test_a_deleted_frame_is_null_and_changes_the_version(url: str, ask: Ask) -> None:
    before = ask(f"/v1/files/{HARBOUR}/meta").json()["file"]["version"]

    control(url, "DELETE", f"files/{HARBOUR}/nodes/1:20")

    assert ask(f"/v1/images/{HARBOUR}", ids="1:20").json()["images"] == {"1:20": None}
    assert ask(f"/v1/files/{HARBOUR}/meta").json()["file"]["version"] != before


# -- pictures


@pytest.mark.parametrize(
    ("kind", "media_type", "begin"),
    [
        ("png", "image/png", b"\x89PNG"),
        ("jpg", "image/jpeg", b"\xff\xd8\xff"),
        ("svg", "image/svg+xml", b"<svg "),
        ("pdf", "application/pdf", b"%PDF-"),
    ],
)
def test_a_frame_is_drawn_in_every_format(url: str, ask: Ask, kind: str, media_type: str, begin: bytes) -> None:
    images = ask(f"/v1/images/{HARBOUR}", ids="1:10", format=kind).json()["images"]

    picture = fetched(url, images["1:10"])

    assert (picture.status_code, picture.headers["Content-Type"].partition(";")[0]) == (200, media_type)
    assert picture.content.startswith(begin)


@pytest.mark.parametrize(("scale", "side"), [("0.5", 600), ("2", 2400)])
def test_scale_makes_it_smaller_or_larger(url: str, ask: Ask, scale: str, side: int) -> None:
    images = ask(f"/v1/images/{HARBOUR}", ids="1:10", scale=scale).json()["images"]

    with Image.open(io.BytesIO(fetched(url, images["1:10"]).content)) as image:
        assert image.size == (side, side)


@pytest.mark.parametrize("terms", [{"scale": "5"}, {"scale": "big"}, {"format": "gif"}, {"ids": ""}])
def test_senseless_terms_are_refused(ask: Ask, terms: dict[str, str]) -> None:
    assert ask(f"/v1/images/{HARBOUR}", **({"ids": "1:10"} | terms)).status_code == 400


@pytest.mark.parametrize(("file", "node"), [(MEADOW, "1:30"), ("Zr5EmptyFrames7Gd2hN1b", "1:10"), (HARBOUR, "5:5")])
def test_hidden_empty_and_missing_nodes_are_null_in_a_success(ask: Ask, file: str, node: str) -> None:
    answer = ask(f"/v1/images/{file}", ids=node)

    assert (answer.status_code, answer.json()) == (200, {"err": None, "images": {node: None}})


def test_too_many_nodes_time_out(ask: Ask) -> None:
    ids = ",".join(f"1:{number * 10}" for number in range(1, 102))

    assert ask(f"/v1/images/{ARCHIVE}", ids=ids).json()["err"].startswith("Render timeout")


def test_a_picture_needs_no_token_and_ends_after_thirty_days(url: str, ask: Ask) -> None:
    with time_machine.travel(0, tick=False) as traveller:
        address = ask(f"/v1/images/{HARBOUR}", ids="1:10", scale="0.1").json()["images"]["1:10"]
        before = fetched(url, address).status_code
        traveller.shift(timedelta(days=31))
        after = fetched(url, address)

    assert (before, after.status_code) == (200, 403)
    assert "AccessDenied" in after.text


def test_thumbnails_can_be_fetched(url: str, ask: Ask) -> None:
    file = ask("/v1/projects/58210051/files").json()["files"][0]

    picture = fetched(url, file["thumbnail_url"])

    with Image.open(io.BytesIO(picture.content)) as image:
        assert image.width == 400


# -- scopes, limits, faults


@pytest.mark.parametrize(
    ("path", "scope"),
    [
        ("/v1/me", "current_user:read"),
        (f"/v1/files/{HARBOUR}?depth=1", "file_content:read"),
        (f"/v1/images/{HARBOUR}?ids=1:10", "file_content:read"),
        (f"/v1/files/{HARBOUR}/images", "file_content:read"),
        (f"/v1/files/{HARBOUR}/meta", "file_metadata:read"),
        (f"/v1/teams/{STUDIO}/projects", "projects:read"),
        ("/v1/projects/58210044/files", "projects:read"),
        (f"/v2/teams/{STUDIO}/folders", "folders:read"),
    ],
)
def test_each_call_wants_its_scope(ask: Ask, path: str, scope: str) -> None:
    refused = ask(path, scopes="webhooks:read")
    allowed = ask(path, scopes=scope)

    assert refused.json() == {
        "status": 403,
        "err": f"Invalid scope(s): webhooks:read. This endpoint requires the {scope} scope",
    }
    assert allowed.status_code == 200


def test_a_personal_token_header_opens_nothing_here(url: str) -> None:
    answer = requests.get(f"{url}/api.figma.com/v1/me", headers={"X-Figma-Token": "figd_x"}, timeout=10)

    assert (answer.status_code, answer.json()["err"]) == (403, "Invalid token")


def test_a_file_of_a_free_plan_may_be_read_six_times_a_month(ask: Ask) -> None:
    with time_machine.travel(0, tick=False) as traveller:
        statuses = [ask(f"/v1/files/{FREE}", depth=1).status_code for _ in range(7)]
        refused = ask(f"/v1/files/{FREE}", depth=1)
        traveller.shift(timedelta(seconds=int(refused.headers["Retry-After"])))
        later = ask(f"/v1/files/{FREE}", depth=1)

    assert statuses == [200] * 6 + [429]
    assert refused.json() == {"status": 429, "err": "Rate limit exceeded"}
    assert int(refused.headers["Retry-After"]) == 5 * 24 * 3600
    assert (refused.headers["X-Figma-Plan-Tier"], refused.headers["X-Figma-Rate-Limit-Type"]) == ("starter", "high")
    assert refused.headers["X-Figma-Upgrade-Link"].startswith("https://www.figma.com/")
    assert later.status_code == 200


def test_nothing_is_said_of_limits_while_there_is_room(ask: Ask) -> None:
    headers = ask(f"/v1/files/{HARBOUR}", depth=1).headers

    assert not [name for name in headers if name.lower().startswith("x-figma") or name.lower() == "retry-after"]


def test_a_view_seat_has_less(ask: Ask) -> None:
    with time_machine.travel(0, tick=False):
        ben = [ask(f"/v1/files/{HARBOUR}", account="ben@example.org", depth=1) for _ in range(7)]
        ada = [ask(f"/v1/files/{HARBOUR}", depth=1).status_code for _ in range(21)]

    assert [answer.status_code for answer in ben] == [200] * 6 + [429]
    assert (ben[-1].headers["X-Figma-Plan-Tier"], ben[-1].headers["X-Figma-Rate-Limit-Type"]) == ("enterprise", "low")
    assert ada == [200] * 20 + [429]


def test_plan_and_seat_can_be_changed(url: str, ask: Ask) -> None:
    with time_machine.travel(0, tick=False):
        control(url, "POST", "terms", json={"team": STUDIO, "plan": "pro"})
        control(url, "POST", "terms", json={"account": "cleo@example.org", "seat": "view"})
        statuses = [ask(f"/v1/files/{HARBOUR}", depth=1).status_code for _ in range(11)]
        control(url, "DELETE", "limits")
        after = ask(f"/v1/files/{HARBOUR}", depth=1).status_code

    assert (statuses, after) == ([200] * 10 + [429], 200)
    assert ask(f"/v1/files/{HARBOUR}/meta", account="cleo@example.org").status_code == 200


def test_an_ordered_limit_announces_its_days(url: str, ask: Ask) -> None:
    requests.post(f"{url}/_sandbox/figma/faults", json={"kind": "rate_limit", "seconds": 3600}, timeout=10)

    answer = ask(f"/v1/files/{FREE}", depth=1)

    assert (answer.status_code, answer.headers["Retry-After"]) == (429, "3600")
    assert answer.headers["X-Figma-Plan-Tier"] == "starter"


def test_a_failure_of_its_own_has_figmas_shape(url: str, ask: Ask) -> None:
    requests.post(f"{url}/_sandbox/figma/faults", json={"kind": "server_error"}, timeout=10)

    answer = ask("/v1/me")

    assert (answer.status_code, answer.json()) == (500, {"status": 500, "err": "Internal server error"})


@pytest.mark.parametrize("path", ["/v1/nothing", "/v3/me", "/v1/files"])
def test_an_unknown_call_is_not_found(ask: Ask, path: str) -> None:
    assert ask(path).json() == {"status": 404, "err": "Not found"}


# -- synthetic files


def test_computed_files_are_the_same_every_time(url: str, ask: Ask) -> None:
    control(url, "POST", "generate", json={"count": 450, "seed": 7})
    first = ask("/v1/projects/7000000000700000001/files").json()
    control(url, "POST", "generate", json={"count": 450, "seed": 7})

    again = ask("/v1/projects/7000000000700000001/files").json()

    assert first == again
    assert len(again["files"]) == 200


def test_millions_of_files_can_be_walked_and_drawn(url: str, ask: Ask) -> None:
    control(url, "POST", "generate", json={"count": 2_000_000, "seed": 1})
    state = control(url, "GET", "state").json()["collections"]
    projects = ask(f"/v1/teams/{STUDIO}/projects").json()["projects"]
    last = ask(f"/v1/projects/{projects[-1]['id']}/files").json()["files"][-1]

    images = ask(f"/v1/images/{last['key']}", ids="1:10", scale="0.1").json()["images"]

    assert state["files"] == 2_000_013
    assert len(projects) == 3 + 10_000
    assert last["name"].endswith("no. 2000000")
    assert fetched(url, images["1:10"]).status_code == 200


def test_a_computed_file_can_be_deleted(url: str, ask: Ask) -> None:
    control(url, "POST", "generate", json={"count": 3, "seed": 2})
    files = ask("/v1/projects/7000000000200000000/files").json()["files"]

    control(url, "DELETE", f"files/{files[1]['key']}")

    left = ask("/v1/projects/7000000000200000000/files").json()["files"]
    assert [file["key"] for file in left] == [files[0]["key"], files[2]["key"]]
    assert control(url, "GET", "state").json()["collections"]["files"] == 15


def test_the_state_can_be_paged_through(url: str) -> None:
    control(url, "POST", "generate", json={"count": 30, "seed": 3})
    seen: list[str] = []
    cursor: str | None = None
    while True:
        params = {"collection": "files", "limit": "8"} | ({"cursor": cursor} if cursor else {})
        page = control(url, "GET", "state", params=params).json()
        seen += [file["key"] for file in page["data"]]
        cursor = page["nextCursor"]
        if cursor is None:
            break

    assert len(seen) == len(set(seen)) == page["total"] == 43


@pytest.mark.parametrize("wanted", [{"count": -1}, {"count": "ten"}, {"count": 1, "seed": -5}, {"number": 3}])
def test_a_senseless_wish_is_refused(url: str, wanted: dict[str, object]) -> None:
    assert requests.post(f"{url}/_sandbox/figma/generate", json=wanted, timeout=10).status_code == 422


@pytest.mark.parametrize(
    ("method", "call", "wanted", "status"),
    [
        ("DELETE", "files/nothing", {}, 404),
        ("DELETE", f"files/{HARBOUR}/nodes/9:9", {}, 404),
        ("POST", "terms", {"plan": "gold"}, 422),
        ("POST", "terms", {"seat": "view"}, 422),
        ("POST", "terms", {"account": "nobody", "seat": "view"}, 422),
        ("POST", "terms", {"team": "5"}, 404),
        ("POST", "events", {"event": "RAIN", "file": HARBOUR}, 422),
        ("POST", "token", {"scopes": "everything"}, 422),
        ("POST", "token", {"account": "nobody"}, 422),
    ],
)
def test_a_senseless_control_call_is_refused(
    url: str, method: str, call: str, wanted: dict[str, str], status: int
) -> None:
    answer = requests.request(method, f"{url}/_sandbox/figma/{call}", json=wanted, timeout=10)

    assert answer.status_code == status
