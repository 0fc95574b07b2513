"""Figma: what is special about it. The fixture follows the platform's specification, trimmed and anonymised."""

import json
from collections.abc import Callable, Mapping
from datetime import timedelta
from pathlib import Path
from typing import Any, cast

import msgspec
import pytest
import requests
from PIL import Image

from jobs.tick import tick
from patchbay import assets, connections, quality, runs
from patchbay.connections import Caller
from patchbay.errors import Invalid, PlatformError
from patchbay.models import Connection, Run, RunLog, RunStatus, Trigger, User, db, fresh_view, transaction
from patchbay.providers import figma
from patchbay.providers.figma import files, frames
from patchbay.spec import Answer, Api, Meaning, OAuth2, check, classify
from tests.providers.sample import Sample
from tests.stage import FrozenClock, Queue, Sandbox, Walker

STUDIO = "https://www.figma.com/files/team/1204879330016258113/Inkfield-Studio"
HARBOUR, MEADOW = "fKsq1Harbour8RdTz3Wm0x", "hB72oMeadowLq9VnXc41Ye"
LIGHTHOUSE, FREE = "mT91LighthouseXs4Ok7Pw", "wP24FreePlanSketch9Eio"
LINK = f"https://www.figma.com/design/{HARBOUR}/Harbour-collection"
SUN = {"fileId": HARBOUR, "nodeId": "1:10"}
RECORDED = json.loads((Path(__file__).parent / "fixtures" / "figma" / "file.json").read_text(encoding="utf-8"))

SAMPLE = Sample(
    fields={"team": STUDIO},
    inputs={
        "import_design": lambda _user, _sandbox: SUN,
        "export_design": lambda _user, _sandbox: SUN,
        "list_frames": lambda _user, _sandbox: {"fileId": HARBOUR},
    },
    without_scope={"scopes": "current_user:read"},
    exempt={quality.DETECTS_DELETES: "Frames are copied when asked for; no records are kept of them."},
)

pytestmark = pytest.mark.usefixtures("context", "_short_pauses")


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchbay.client.retries.FIRST_BACKOFF_S", 0.01)


@pytest.fixture
def act(ada: User, queue: Queue) -> Callable[..., Run]:
    """`act("list_files", search=…)` carries an operation out as a run of Ada's."""

    def carried_out(operation: str, **values: Any) -> Run:
        run = runs.start(ada.id, "figma", operation, values, Trigger.API)
        queue.run_all()
        fresh_view()
        return db.session.get_one(Run, run.id, populate_existing=True)

    return carried_out


def done(run: Run) -> dict[str, Any]:
    assert run.status is RunStatus.SUCCEEDED, f"{run.error_kind}: {run.error_detail}"
    assert run.result is not None
    return run.result


def set_links(user: User, *links: str) -> None:
    connections.change_settings(user.id, "figma", {"links": "\r\n".join(links)})


def lines_of(run: Run) -> list[str]:
    return [line.message for line in db.session.query(RunLog).filter_by(run_id=run.id)]


def asked(sandbox: Sandbox, path: str) -> int:
    """How many requests there were whose path contains so."""
    return sum(path in row["path"] for row in sandbox.received("figma"))


class Reader:
    """An `Api` that answers every request with one body and notes what was sent."""

    def __init__(self, body: Any) -> None:
        self.sent: list[Any] = []
        self.settings: Mapping[str, Any] = {}
        self._body = body

    def send(self, request: Any) -> Answer:
        """Note it and answer."""
        self.sent.append(request)
        return Answer(200, {}, json.dumps(self._body).encode(), request.url)

    def read(self, answer: Answer, shape: Any) -> Any:
        """As the client reads."""
        return msgspec.json.decode(answer.body, type=shape)


def weaken(connection: Connection, sandbox: Sandbox, scopes: str) -> None:
    """Let the connection have a token with these scopes alone."""
    answer = requests.post(f"{sandbox.url}/_sandbox/figma/token", json={"scopes": scopes}, timeout=10).json()
    with transaction():
        connection.access_token = answer["access_token"]


# -- connecting


def test_without_a_team_only_scopes_that_every_app_may_have_are_asked_for(ada: User, connect: Walker) -> None:
    address = connections.begin(Caller(ada.id), "figma", {}).url
    with_team = connections.begin(Caller(ada.id), "figma", {"team": STUDIO}).url

    assert "projects%3Aread" not in address
    assert "projects%3Aread" in with_team


def test_a_public_app_is_asked_for_what_it_may_have(sandbox: Sandbox) -> None:
    auth = figma.PROVIDER.auth
    assert isinstance(auth, OAuth2)
    terms = {"client_id": "other-figma", "redirect_uri": "http://127.0.0.1/back", "state": "s", "response_type": "code"}

    def ask(values: Mapping[str, str]) -> requests.Response:
        scope = auth.scope_separator.join(scope.name for scope in auth.asked(values))
        params = {**terms, "scope": scope, "sandbox_consent": "allow"}
        return requests.get(f"{sandbox.url}/www.figma.com/oauth", params=params, allow_redirects=False, timeout=10)

    assert ask({}).status_code == 302
    assert ask({"team": "1204879330016258113"}).json()["message"] == "Invalid scopes for app"


def test_the_refresh_token_outlives_a_refresh(
    ada: User, connect: Walker, act: Callable[..., Run], sandbox: Sandbox
) -> None:
    connection = connect(ada, "figma")
    set_links(ada, LINK)
    before = connection.refresh_token

    for _ in range(2):
        sandbox.fault("figma", "expired_token")
        done(act("list_files"))

    found = connections.connected(ada.id, "figma")
    assert found.refresh_token == before
    assert asked(sandbox, "/v1/oauth/refresh") == 2


@pytest.mark.parametrize(
    ("text", "stored"),
    [
        (STUDIO, "1204879330016258113"),
        ("https://www.figma.com/files/181033233908053158/team/1535685101263221741", "1535685101263221741"),
        (" 42 ", "42"),
    ],
)
def test_a_team_may_be_pasted_as_an_address(text: str, stored: str) -> None:
    assert check(figma.PROVIDER.fields, {"team": text}) == {"team": stored}


@pytest.mark.parametrize("text", ["Inkfield", "https://www.figma.com/design/abc/x"])
def test_what_is_no_team_is_refused(text: str) -> None:
    with pytest.raises(Invalid, match="Invalid"):
        check(figma.PROVIDER.fields, {"team": text})


@pytest.mark.parametrize(
    ("text", "is_taken"),
    [
        (LINK, True),
        (f"{LINK}\r\n https://figma.com/board/jX67WhiteboardPlan5Kds/Plan?node-id=0-1 ", True),
        (HARBOUR, True),
        ("https://elsewhere.example/design/abc", False),
        ("my file", False),
        ("\n".join([LINK] * 51), False),
    ],
)
def test_links_are_addresses_of_files(text: str, is_taken: bool) -> None:
    if is_taken:
        assert check(figma.PROVIDER.settings, {"links": text})["links"]
        return
    with pytest.raises(Invalid):
        check(figma.PROVIDER.settings, {"links": text})


# -- files


def test_linked_files_are_listed_without_any_team(ada: User, connect: Walker, act: Callable[..., Run]) -> None:
    connect(ada, "figma")
    set_links(ada, LINK, f"https://www.figma.com/file/{MEADOW}/x", LINK)

    listed = done(act("list_files"))

    assert [(file["key"], file["name"]) for file in listed["files"]] == [
        (HARBOUR, "Harbour collection"),
        (MEADOW, "Meadow collection"),
    ]
    assert listed["files"][0]["thumbnail_url"].startswith("https://")
    assert listed["nextCursor"] is None


def test_a_linked_file_that_is_gone_is_passed_over(
    ada: User, connect: Walker, act: Callable[..., Run], sandbox: Sandbox
) -> None:
    connect(ada, "figma")
    set_links(ada, "https://www.figma.com/design/NoSuchFile1234567890ab/Gone", LINK)

    run = act("list_files")

    assert [file["key"] for file in done(run)["files"]] == [HARBOUR]
    assert "The linked file %(key)s does not exist, or is not shared with you." in lines_of(run)


def test_a_teams_files_are_listed_with_their_projects(ada: User, connect: Walker, act: Callable[..., Run]) -> None:
    connect(ada, "figma", team=STUDIO)
    set_links(ada, LINK)

    found = done(act("list_files"))["files"]

    assert len(found) == len({file["key"] for file in found}) == 11
    assert {file["project"] for file in found} == {"", "Apparel prints", "Posters", "Brand"}


def test_a_large_team_comes_in_pages_of_whole_projects(
    ada: User, connect: Walker, act: Callable[..., Run], sandbox: Sandbox
) -> None:
    sandbox.generate("figma", count=4_100, seed=5)  # twenty-one projects more
    connect(ada, "figma", team=STUDIO)

    first = done(act("list_files"))
    second = done(act("list_files", cursor=first["nextCursor"]))

    keys = [file["key"] for page in (first, second) for file in page["files"]]
    assert len(keys) == len(set(keys)) == 4_111
    assert second["nextCursor"] is None


def test_a_search_narrows_the_list(ada: User, connect: Walker, act: Callable[..., Run]) -> None:
    connect(ada, "figma", team=STUDIO)

    found = done(act("list_files", search="LANTERN"))["files"]

    assert [file["name"] for file in found] == ["Lanterns 🏮 / tote"]


def test_a_stale_cursor_is_refused(ada: User, connect: Walker, act: Callable[..., Run]) -> None:
    connect(ada, "figma", team=STUDIO)

    assert act("list_files", cursor="999").error_kind == "Invalid"


def test_with_neither_links_nor_team_it_says_what_to_do(ada: User, connect: Walker, act: Callable[..., Run]) -> None:
    connect(ada, "figma")

    run = act("list_files")

    assert run.error_kind == "Invalid"
    assert "paste their links" in run.error_params["sentence"]


def test_a_team_that_may_not_be_seen_does_not_hide_the_links(
    ada: User, connect: Walker, act: Callable[..., Run], sandbox: Sandbox
) -> None:
    connection = connect(ada, "figma", team=STUDIO)
    set_links(ada, LINK)
    weaken(connection, sandbox, "current_user:read file_metadata:read")

    run = act("list_files")

    assert [file["key"] for file in done(run)["files"]] == [HARBOUR]
    assert any("only private apps" in line for line in lines_of(run))


def test_a_team_that_may_not_be_seen_is_told_when_there_is_nothing_else(
    ada: User, connect: Walker, act: Callable[..., Run], sandbox: Sandbox
) -> None:
    weaken(connect(ada, "figma", team=STUDIO), sandbox, "current_user:read")

    assert act("list_files").error_kind == "ScopeMissing"


def test_a_team_of_others_is_refused_in_words(ada: User, connect: Walker, act: Callable[..., Run]) -> None:
    connect(ada, "figma", team="99")

    run = act("list_files")

    assert run.error_kind == "PlatformError"
    assert "Ask its owner to share it" in run.error_params["sentence"]


# -- frames


def test_frames_are_listed_page_by_page(ada: User, connect: Walker, act: Callable[..., Run]) -> None:
    connect(ada, "figma")

    listed = done(act("list_frames", fileId=LINK))

    assert listed["fileName"] == "Harbour collection"
    assert [(frame["id"], frame["title"]) for frame in listed["frames"]] == [
        ("1:10", "Harbour sun · Tees"),
        ("1:20", "Night comet · Tees"),
        ("1:30", "Fern study · Tees"),
        ("2:10", "Sun wrap · Mugs"),
    ]


def test_frames_in_sections_are_found_with_one_more_call(
    ada: User, connect: Walker, act: Callable[..., Run], sandbox: Sandbox
) -> None:
    connect(ada, "figma")

    listed = done(act("list_frames", fileId=LIGHTHOUSE))
    done(act("list_frames", fileId=HARBOUR))

    assert [frame["name"] for frame in listed["frames"]] == ["Lighthouse", "Drafts", "Storm", "Calm"]
    assert asked(sandbox, "/nodes") == 1


def test_file_and_frame_are_picked_from_what_there_is(ada: User, connect: Walker) -> None:
    connect(ada, "figma")
    set_links(ada, LINK)
    connection = connections.connected(ada.id, "figma")
    operation = figma.PROVIDER.operation("import_design")
    assert operation is not None
    picks = {field.name: field.pick for field in operation.input if field.pick}

    file = connections.offer(connection, picks["fileId"], search="harb").options[0]
    frame = connections.offer(connection, picks["nodeId"], given={"fileId": file.value}).options[0]

    assert (file.value, file.label) == (HARBOUR, "Harbour collection")
    assert file.picture.startswith("https://s3-alpha-sig.figma.com/thumbnails/")
    assert (frame.value, frame.label) == ("1:10", "Harbour sun · Tees")


def test_hidden_frames_and_loose_shapes_are_not_offered() -> None:
    file = Reader(RECORDED)

    listed = frames.list_frames(cast("Api", file), {"fileId": "key"})

    assert [frame["id"] for frame in listed["frames"]] == ["1:2", "12:7"]
    assert listed["frames"][0] == {
        "id": "1:2",
        "name": "Fox / front 🦊",
        "title": "Fox / front 🦊 · Tees",
        "page": "Tees",
        "width": 1200,
        "height": 1600,
    }
    assert dict(file.sent[0].params) == {"depth": "2"}


def test_a_file_that_no_app_may_open_is_told_so(ada: User, connect: Walker, act: Callable[..., Run]) -> None:
    connect(ada, "figma")

    run = act("list_frames", fileId="kS80SlidesForFair1Uwqe")

    assert run.error_kind == "PlatformError"
    assert "files of this kind" in run.error_params["sentence"]


def test_a_deleted_file_is_told_so(ada: User, connect: Walker, act: Callable[..., Run], sandbox: Sandbox) -> None:
    connect(ada, "figma")
    requests.delete(f"{sandbox.url}/_sandbox/figma/files/{HARBOUR}", json={}, timeout=10).raise_for_status()

    for operation in ("import_design", "export_design"):
        run = act(operation, **SUN)

        assert run.error_kind == "NotFoundThere"
        assert "has no such file" in run.error_params["sentence"]


# -- importing


def test_a_frame_becomes_a_design(ada: User, connect: Walker, act: Callable[..., Run]) -> None:
    connect(ada, "figma")

    made = done(act("import_design", **SUN))

    (asset,), _ = assets.page(ada.id, cursor=None, limit=5)
    assert (made["assetId"], made["name"], asset.name) == (asset.id, "Harbour sun.png", "Harbour sun.png")
    assert (asset.width, asset.height) == (made["width"], made["height"]) == (2400, 2400)
    with Image.open(assets.file_of(asset)) as image:
        assert image.format == "PNG"


def test_a_name_of_ones_own_saves_a_dear_call(
    ada: User, connect: Walker, act: Callable[..., Run], sandbox: Sandbox
) -> None:
    connect(ada, "figma")

    made = done(act("import_design", **SUN, name="Sun / front 🌞", scale="0.5"))

    assert made["name"] == "Sun – front 🌞.png"
    assert made["width"] == 600
    assert asked(sandbox, "/nodes") == 0


def test_a_very_long_name_is_cut(ada: User, connect: Walker, act: Callable[..., Run]) -> None:
    connect(ada, "figma")

    made = done(act("import_design", **SUN, name="n" * 200, scale="0.5"))

    assert made["name"].endswith(".png")
    assert act("import_design", **SUN, name="n" * 200, scale="0.5").status is RunStatus.SUCCEEDED


def test_the_same_frame_can_be_imported_twice(ada: User, connect: Walker, act: Callable[..., Run]) -> None:
    connect(ada, "figma")

    first, second = (done(act("import_design", **SUN, scale="0.5")) for _ in range(2))

    assert first["assetId"] != second["assetId"]


@pytest.mark.parametrize("name", ["", "Mine"])
def test_a_frame_that_cannot_be_drawn_is_named(ada: User, connect: Walker, act: Callable[..., Run], name: str) -> None:
    connect(ada, "figma")

    run = act("import_design", fileId=MEADOW, nodeId="1:30", name=name)

    assert run.error_kind == "PlatformError"
    assert run.error_params["nodes"] == f"{name or 'Kept for later'} (1:30)"
    assert assets.page(ada.id, cursor=None, limit=5) == ([], None)


def test_a_frame_that_does_not_exist_is_named(ada: User, connect: Walker, act: Callable[..., Run]) -> None:
    connect(ada, "figma")

    run = act("import_design", fileId=HARBOUR, nodeId="77:7")

    assert (run.error_kind, run.error_params["node"]) == ("NotFoundThere", "77:7")


def test_a_picture_that_is_not_there_yet_is_waited_for(
    ada: User, connect: Walker, act: Callable[..., Run], sandbox: Sandbox
) -> None:
    connect(ada, "figma")
    sandbox.fault("figma", "server_error", match="GET figma-alpha-api")
    sandbox.fault("figma", "truncated", match="GET figma-alpha-api")

    done(act("import_design", **SUN, scale="0.5"))

    assert asked(sandbox, "/images/") >= 4


def test_a_lost_answer_makes_no_second_design(
    ada: User, connect: Walker, act: Callable[..., Run], sandbox: Sandbox
) -> None:
    connect(ada, "figma")
    sandbox.fault("figma", "lost_response", match="/v1/images/")

    done(act("import_design", **SUN, scale="0.5"))

    assert len(assets.page(ada.id, cursor=None, limit=5)[0]) == 1


# -- exporting


@pytest.mark.parametrize(
    ("kind", "begin"), [("png", b"\x89PNG"), ("jpg", b"\xff\xd8"), ("svg", b"<svg"), ("pdf", b"%PDF")]
)
def test_a_frame_is_exported_in_every_format(
    ada: User, connect: Walker, act: Callable[..., Run], sandbox: Sandbox, kind: str, begin: bytes
) -> None:
    connect(ada, "figma")

    answer = done(act("export_design", **SUN, format=kind, scale="0.5"))

    assert answer["fileUrls"] == [answer["imageUrl"]]
    picture = requests.get(answer["imageUrl"].replace("https://", f"{sandbox.url}/"), timeout=10)
    assert picture.content.startswith(begin)


def test_several_frames_are_exported_in_their_order(ada: User, connect: Walker, act: Callable[..., Run]) -> None:
    connect(ada, "figma")

    answer = done(act("export_design", fileId=HARBOUR, nodeId="2-10, 1:10"))

    assert len(set(answer["fileUrls"])) == 2


def test_null_in_a_success_is_an_error_that_names_the_nodes(
    ada: User, connect: Walker, act: Callable[..., Run]
) -> None:
    connect(ada, "figma")

    run = act("export_design", fileId=MEADOW, nodeId="1:10,1:30,8:8")

    assert run.error_kind == "PlatformError"
    assert run.error_params["nodes"] == "1:30, 8:8"
    assert "could not draw %(nodes)s" in run.error_params["sentence"]


def test_a_node_that_the_answer_leaves_out_counts_as_not_drawn() -> None:
    with pytest.raises(PlatformError) as refused:
        frames.export_design(
            cast("Api", Reader({"err": None, "images": {}})),
            {"fileId": "key", "nodeId": "1:2", "format": "svg", "scale": "2"},
        )

    assert refused.value.params["nodes"] == "1:2"


def test_scale_is_not_said_of_pictures_without_pixels() -> None:
    api = Reader({"err": None, "images": {"1:2": "https://figma-alpha-api.s3.us-west-2.amazonaws.com/images/x"}})

    for kind in ("png", "svg"):
        frames.export_design(cast("Api", api), {"fileId": "key", "nodeId": "1:2", "format": kind, "scale": "2"})

    assert [dict(request.params).get("scale") for request in api.sent] == ["2", None]


@pytest.mark.parametrize(
    ("text", "ids"),
    [
        ("1-2", "1:2"),
        ("1:2", "1:2"),
        ("I12-3;4-5", "I12:3;4:5"),
        ("1-2, 3-4", "1:2,3:4"),
        (f"{LINK}?node-id=10-20&t=abc", "10:20"),
        (f"{LINK}?node-id=10%3A20", "10:20"),
    ],
)
def test_node_ids_are_understood_as_addresses_have_them(text: str, ids: str) -> None:
    assert frames.node_ids(text) == ids


@pytest.mark.parametrize(
    ("text", "key"),
    [
        (LINK, HARBOUR),
        (f"https://www.figma.com/file/{HARBOUR}", HARBOUR),
        (f"https://www.figma.com/proto/{HARBOUR}/x?node-id=1-2", HARBOUR),
        (f"https://www.figma.com/design/{HARBOUR}/branch/{MEADOW}/x", MEADOW),
        (HARBOUR, HARBOUR),
    ],
)
def test_file_keys_are_found_in_addresses(text: str, key: str) -> None:
    assert files.file_key(text) == key


@pytest.mark.parametrize(
    "values", [{"nodeId": "one"}, {"nodeId": "1:2,3:4"}, {"scale": "9"}, {"fileId": "../x"}, {"fileId": "a b"}]
)
def test_senseless_input_is_refused(values: dict[str, str]) -> None:
    operation = figma.PROVIDER.operation("import_design")
    assert operation is not None

    with pytest.raises(Invalid) as refused:
        check(operation.input, SUN | values)

    assert set(refused.value.fields) == set(values)


# -- refusals and limits


@pytest.mark.parametrize(
    ("status", "body", "meaning"),
    [
        (403, {"status": 403, "err": "Token expired"}, Meaning.TOKEN_EXPIRED),
        (403, {"status": 403, "err": "Invalid token"}, Meaning.TOKEN_EXPIRED),
        (
            403,
            {"status": 403, "err": "Invalid scope(s): a:read. This endpoint requires the b:read scope"},
            Meaning.SCOPE_MISSING,
        ),
        (403, {"status": 403, "err": "Access denied"}, Meaning.REFUSED),
        (401, {"error": True, "status": 401, "message": "Unauthorized"}, Meaning.TOKEN_EXPIRED),
        (404, {"status": 404, "err": "Not found"}, Meaning.NOT_FOUND),
        (400, {"status": 400, "err": "Render timeout, try requesting fewer or smaller images"}, Meaning.REFUSED),
        (400, {"error": True, "status": 400, "message": "Invalid team id"}, Meaning.REFUSED),
        (429, {"status": 429, "err": "Rate limit exceeded"}, Meaning.THROTTLED),
        (500, {"status": 500, "err": "Internal server error"}, Meaning.UNAVAILABLE),
    ],
)
def test_only_words_tell_refusals_apart(status: int, body: dict[str, Any], meaning: Meaning) -> None:
    fault = classify(figma.PROVIDER.faults, Answer(status, {}, json.dumps(body).encode(), ""))

    assert fault is not None
    assert fault.meaning is meaning
    assert fault.text in ({body.get("err"), body.get("message")} if status != 401 else {""})


def test_a_limit_of_days_pauses_the_run_until_then(
    ada: User, connect: Walker, act: Callable[..., Run], queue: Queue, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    connect(ada, "figma")
    export = {"fileId": FREE, "nodeId": "1:10"}
    for _ in range(6):
        done(act("export_design", **export))

    run = act("export_design", **export)
    waiting, resumes_at = run.status, run.resumes_at
    requests.delete(f"{sandbox.url}/_sandbox/figma/limits", json={}, timeout=10).raise_for_status()
    frozen_clock.advance(days=4)
    tick()
    queue.run_all()
    too_early = asked(sandbox, "/v1/images/")
    frozen_clock.advance(days=1, hours=1)
    tick()
    queue.run_all()
    fresh_view()

    assert waiting is RunStatus.WAITING
    assert resumes_at is not None
    assert timedelta(days=4, hours=23) < resumes_at - (frozen_clock.moment - timedelta(days=5, hours=1))
    assert too_early == 7
    assert db.session.get_one(Run, run.id, populate_existing=True).status is RunStatus.SUCCEEDED
