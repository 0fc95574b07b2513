"""Canva: what is special about it. Errors and the fixture are written as the REST reference shows them."""

import json
from base64 import b64decode
from collections.abc import Callable
from dataclasses import replace
from io import BytesIO
from pathlib import Path
from typing import Any

import msgspec
import pytest
import requests
from PIL import Image

from jobs.tick import tick
from patchbay import assets, connections, credentials, oauth, providers, runs
from patchbay.connections import Caller
from patchbay.errors import GrantExpired, PlatformError, SetupWrong
from patchbay.models import ConnectionState, Run, RunStatus, Trigger, User, WaitReason, db, fresh_view, transaction
from patchbay.providers import canva
from patchbay.providers.canva import designs, jobs, uploads
from patchbay.runs.lease import LENGTH
from patchbay.spec import Answer, Meaning, Picture, classify
from tests.providers.sample import Sample, mockup_of
from tests.providers.trial import Killed, at_answer, meanwhile
from tests.stage import FrozenClock, Queue, Sandbox, Walker, waited_out

Running = Callable[..., Run]
PAUSES = {
    "patchbay.providers.canva.jobs.PAUSES_S": (0.0,) * 5,
    "patchbay.providers.canva.uploads.PAUSES_S": (0.0,) * 5,
}
SAMPLE = Sample(
    without_scope={"scopes": "profile:read"},
    inputs={
        "import_design": lambda _user, _sandbox: {"designId": "DAF0fernpo1"},
        "export_design": lambda _user, _sandbox: {"designId": "DAF0stickr1", "keep": True},
        "upload_asset": lambda user, _sandbox: {"mockupUrls": [mockup_of(user, "teal"), mockup_of(user, "plum")]},
    },
    quick=PAUSES,
)

pytestmark = pytest.mark.usefixtures("context", "_short_pauses")

RECORDED = json.loads((Path(__file__).parent / "fixtures" / "canva" / "designs.json").read_text(encoding="utf-8"))


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    for name, value in {"patchbay.client.retries.FIRST_BACKOFF_S": 0.01, **PAUSES}.items():
        monkeypatch.setattr(name, value)


@pytest.fixture
def run(ada: User, connect: Walker, queue: Queue) -> Running:
    """`run("export_design", designId=…)` for Ada, connected to Canva."""
    connect(ada, "canva")

    def carry_out(operation: str, **values: Any) -> Run:
        return carried_out(runs.start(ada.id, "canva", operation, values, Trigger.API), queue)

    return carry_out


def carried_out(run: Run, queue: Queue) -> Run:
    queue.run_all()
    fresh_view()
    return db.session.get_one(Run, run.id, populate_existing=True)


def done(run: Run) -> dict[str, Any]:
    assert run.status is RunStatus.SUCCEEDED, f"{run.error_kind}: {run.error_detail}"
    assert run.result is not None
    return run.result


def sentence(run: Run) -> str:
    assert run.error_params is not None
    return str(run.error_params["sentence"])


def control(sandbox: Sandbox, method: str, call: str, **body: Any) -> None:
    requests.request(method, f"{sandbox.url}/_sandbox/canva/{call}", json=body, timeout=10).raise_for_status()


def uploaded(sandbox: Sandbox) -> list[str]:
    return sorted(asset["name"] for asset in sandbox.state("canva", "assets"))


def picture_named(user: User, name: str) -> str:
    buffer = BytesIO()
    Image.new("RGB", (30, 20), (10, 120, 90)).save(buffer, "PNG")
    return assets.link(assets.upload(user.id, buffer.getvalue(), name))


def fetched(sandbox: Sandbox, address: str) -> bytes:
    return requests.get(address.replace("https://", f"{sandbox.url}/"), timeout=10).content


def answer(body: Any, status: int = 200, media: str = "application/json") -> Answer:
    content = body.encode() if isinstance(body, str) else json.dumps(body).encode()
    return Answer(status, {"content-type": media}, content, "https://api.canva.com/")


# -- what an answer means


@pytest.mark.parametrize(
    ("status", "code", "message", "meaning", "wait_s"),
    [
        (401, "invalid_access_token", "Access token is invalid", Meaning.TOKEN_EXPIRED, None),
        (401, "revoked_access_token", "Access token is revoked", Meaning.TOKEN_EXPIRED, None),
        (403, "missing_scope", "Missing scopes: [asset:write]", Meaning.SCOPE_MISSING, None),
        (403, "permission_denied", "Not allowed to access design", Meaning.REFUSED, None),
        (403, "license_required", "User doesn't have the required license", Meaning.REFUSED, None),
        (403, "feature_not_available", "not now", Meaning.REFUSED, None),
        (403, "quota_exceeded", "The quota has been exceeded", Meaning.FULL, None),
        (429, "quota_exceeded", "Free quota has been exceeded", Meaning.FULL, None),
        (429, "too_many_requests", "Too many requests to listDesigns", Meaning.THROTTLED, 60.0),
        (429, "too_many_requests", "Too many daily export requests for user", Meaning.THROTTLED, 3600.0),
        (404, "design_not_found", "Design with id 'x' not found", Meaning.NOT_FOUND, None),
        (400, "bad_request_body", "png export not supported for this design type", Meaning.REFUSED, None),
        (401, "invalid_client", "Client x not available", Meaning.SETUP_WRONG, None),
        (500, "internal_error", "An internal error occurred", Meaning.UNAVAILABLE, None),
    ],
)
def test_the_code_tells_what_a_refusal_means(
    status: int, code: str, message: str, meaning: Meaning, wait_s: float | None
) -> None:
    fault = classify(canva.PROVIDER.faults, answer({"code": code, "message": message}, status))

    assert fault is not None
    assert (fault.meaning, fault.wait_s) == (meaning, wait_s)
    assert fault.text in {message, ""}


def test_a_design_that_is_no_longer_shared_is_told_apart_from_a_missing_scope() -> None:
    unshared = designs.is_unshared(answer({"code": "permission_denied", "message": "Not allowed"}, 403))
    scopeless = designs.is_unshared(answer({"code": "missing_scope", "message": "Missing scopes"}, 403))

    assert (unshared, scopeless) == (True, False)


def test_a_download_address_that_has_ended_is_no_matter_of_scopes() -> None:
    xml = "<Error><Code>AccessDenied</Code><Message>Request has expired</Message></Error>"

    fault = classify(canva.PROVIDER.faults, answer(xml, 403, "application/xml"))

    assert fault is not None
    assert fault.meaning is Meaning.REFUSED
    assert "address" in fault.says


@pytest.mark.parametrize(
    ("code", "is_retryable"),
    [
        ("license_required", False),
        ("approval_required", False),
        ("internal_failure", True),
        ("file_too_big", False),
        ("import_failed", False),
        ("fetch_failed", False),
        ("something_new", False),
    ],
)
def test_every_failure_of_a_job_has_a_sentence(code: str, is_retryable: bool) -> None:
    error = jobs.failure(jobs.JobError(code, "no"))

    assert isinstance(error, PlatformError)
    assert error.retryable is is_retryable
    assert error.sentence % error.params
    assert "%(action)s" not in error.sentence


# -- what is stored


def test_a_recorded_page_is_stored_without_what_changes_by_itself() -> None:
    page = msgspec.convert(RECORDED["answer"], designs.DesignList)

    book, notes = (designs.item(design) for design in page.items)

    assert (book.external_id, book.title) == ("DAGQm2Example", "Autumn lookbook")
    assert book.data == {
        "id": "DAGQm2Example",
        "title": "Autumn lookbook",
        "url": "https://www.canva.com/design/DAGQm2Example/edit",
        "ownerId": "oUexample0001",
        "pageCount": 3,
        "designTypes": ["presentation"],
        "createdAt": "2013-08-25T02:00:00Z",
        "updatedAt": "2023-08-25T02:00:00Z",
    }
    assert notes.title == "Untitled design"
    assert (notes.data["title"], notes.data["pageCount"]) == (None, None)
    assert set(notes.data) == set(book.data)


def test_designs_are_listed_page_by_page_and_found(run: Running) -> None:
    first = done(run("list_designs", limit=8))
    second = done(run("list_designs", limit=8, cursor=first["nextCursor"]))
    found = done(run("list_designs", search="fern"))

    shown = first["designs"] + second["designs"]
    assert len(shown) == len({design["id"] for design in shown}) == 13
    assert second["nextCursor"] is None
    assert [design["name"] for design in found["designs"]] == ["Fern poster, A3"]
    assert found["designs"][0]["thumbnail_url"].startswith("https://document-export.canva.com/")
    assert "Untitled design" in {design["name"] for design in shown}


# -- exports


def test_every_page_is_exported(run: Running, sandbox: Sandbox) -> None:
    result = done(run("export_design", designId="DAF0lookbk1"))

    sizes = [Image.open(BytesIO(fetched(sandbox, address))).size for address in result["fileUrls"]]
    assert sizes == [(1600, 900)] * 4
    assert result["imageUrl"] == result["fileUrls"][0]
    assert result["assetIds"] == []


@pytest.mark.parametrize(("form", "begins"), [("jpg", b"\xff\xd8"), ("pdf", b"%PDF"), ("png", b"\x89PNG")])
def test_one_page_is_exported_in_the_wanted_format(run: Running, sandbox: Sandbox, form: str, begins: bytes) -> None:
    result = done(run("export_design", designId="DAF0lookbk1", page=2, format=form))

    assert len(result["fileUrls"]) == 1
    assert fetched(sandbox, result["imageUrl"]).startswith(begins)


def test_exported_pictures_are_kept_as_designs(run: Running, ada: User) -> None:
    result = done(run("export_design", designId="DAF0stickr1", keep=True))

    kept = [assets.get(ada.id, asset_id) for asset_id in result["assetIds"]]
    assert [asset.name for asset in kept] == ["Sticker sheet 🦊 1.png", "Sticker sheet 🦊 2.png"]
    assert {(asset.width, asset.height) for asset in kept} == {(1080, 1350)}


def test_a_design_is_imported_under_its_title(run: Running, ada: User) -> None:
    result = done(run("import_design", designId="DAF0insta01"))

    asset = assets.get(ada.id, result["assetId"])
    assert result["name"] == asset.name == "Instagram post - launch 1.png"
    assert (result["width"], result["height"]) == (1080, 1080)


def test_a_pdf_is_not_kept_and_nothing_is_asked_for(run: Running, sandbox: Sandbox) -> None:
    before = len(sandbox.received("canva"))

    failed = run("export_design", designId="DAF0lookbk1", format="pdf", keep=True)

    assert failed.error_kind == "Invalid"
    assert len(sandbox.received("canva")) == before


@pytest.mark.parametrize(
    ("operation", "values", "kind", "words"),
    [
        ("export_design", {"designId": "DAF0sale001"}, "PlatformError", "approved"),
        ("export_design", {"designId": "DAF0notes01"}, "PlatformError", "cannot do this"),
        ("export_design", {"designId": "DAF0lookbk1", "page": 9}, "PlatformError", "cannot do this"),
        ("export_design", {"designId": "DAF0benown1"}, "PlatformError", "share it"),
        ("import_design", {"designId": "DAnowhere"}, "NotFoundThere", "deleted"),
    ],
)
def test_what_cannot_be_exported_is_explained(
    run: Running, operation: str, values: dict[str, Any], kind: str, words: str
) -> None:
    failed = run(operation, **values)

    assert failed.error_kind == kind
    assert words in sentence(failed)


def test_a_deleted_design_is_told_so(run: Running, sandbox: Sandbox) -> None:
    control(sandbox, "DELETE", "designs/DAF0fernpo1")

    assert run("import_design", designId="DAF0fernpo1").error_kind == "NotFoundThere"


def test_a_failure_of_the_platform_in_a_job_is_waited_out(
    run: Running, sandbox: Sandbox, queue: Queue, frozen_clock: FrozenClock
) -> None:
    control(sandbox, "POST", "jobs", error="internal_failure")

    waiting = run("export_design", designId="DAF0fernpo1")
    told = waiting.status, waiting.wait_reason

    assert told == (RunStatus.WAITING, WaitReason.UNAVAILABLE)
    assert waited_out(waiting, frozen_clock, queue).status is RunStatus.SUCCEEDED


def test_a_job_that_never_ends_is_given_up_after_an_hour(
    run: Running, sandbox: Sandbox, queue: Queue, frozen_clock: FrozenClock
) -> None:
    control(sandbox, "POST", "jobs", polls=1000)
    began_at = frozen_clock.now()

    failed = waited_out(run("export_design", designId="DAF0fernpo1"), frozen_clock, queue)

    assert 3600 <= (frozen_clock.now() - began_at).total_seconds() < 2 * 3600
    assert failed.error_kind == "ProviderUnavailable"
    assert "very long" in sentence(failed)


def test_looking_at_a_job_grows_rarer_and_ends_within_minutes() -> None:
    assert list(jobs.PAUSES_S) == sorted(jobs.PAUSES_S)


def test_the_exports_of_a_day_are_waited_for(run: Running, sandbox: Sandbox, frozen_clock: FrozenClock) -> None:
    control(sandbox, "POST", "exports-used")

    waiting = run("export_design", designId="DAF0fernpo1")

    assert waiting.status is RunStatus.WAITING
    assert waiting.resumes_at is not None
    assert (waiting.resumes_at - frozen_clock.moment).total_seconds() == 3600


def test_a_file_is_fetched_from_the_platform_alone_and_without_a_token(run: Running, sandbox: Sandbox) -> None:
    done(run("import_design", designId="DAF0fernpo1"))

    fetches = sandbox.received("canva", host="export-download.canva.com")
    assert [(row["status"], row["tokenTail"]) for row in fetches] == [(200, None)]


# -- uploads


def test_pictures_become_uploads(run: Running, ada: User, sandbox: Sandbox) -> None:
    result = done(run("upload_asset", mockupUrls=[mockup_of(ada, "teal"), mockup_of(ada, "plum")]))

    assert result["assetIds"] == [asset["id"] for asset in sorted_by_name(sandbox, "teal", "plum")]


def sorted_by_name(sandbox: Sandbox, *names: str) -> list[dict[str, Any]]:
    found = {Path(asset["name"]).stem: asset for asset in sandbox.state("canva", "assets")}
    return [found[name] for name in names]


@pytest.mark.parametrize("name", ["fox 🦊.png", "a/b.png", "long " * 60 + ".png", "🦊" * 100 + ".png", "?.png"])
def test_any_name_is_sent_in_a_form_that_is_taken(run: Running, ada: User, sandbox: Sandbox, name: str) -> None:
    done(run("upload_asset", mockupUrls=[picture_named(ada, name)]))

    (taken,) = uploaded(sandbox)
    assert 0 < len(taken.encode("utf-16-le")) // 2 <= 50
    assert "�" not in taken


def test_the_same_name_twice_makes_two_uploads(run: Running, ada: User, sandbox: Sandbox) -> None:
    both = [picture_named(ada, "same.png"), picture_named(ada, "same.png")]

    first, again = done(run("upload_asset", mockupUrls=both)), done(run("upload_asset", mockupUrls=both))

    assert len({*first["assetIds"], *again["assetIds"]}) == len(uploaded(sandbox)) == 4


@pytest.mark.parametrize("killed_at", range(1, 9))
def test_pictures_of_one_name_are_told_apart_after_a_kill(
    ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, frozen_clock: FrozenClock, killed_at: int
) -> None:
    connect(ada, "canva")
    values = {"mockupUrls": [picture_named(ada, "same.png"), picture_named(ada, "same.png")]}
    due = at_answer(killed_at)

    def die() -> None:
        if due():
            raise Killed

    started = runs.start(ada.id, "canva", "upload_asset", values, Trigger.API)
    with pytest.raises(Killed), meanwhile(die):
        queue.run_all()
    db.session.rollback()
    frozen_clock.advance(seconds=LENGTH.total_seconds() + 1)
    tick()
    resumed = carried_out(started, queue)

    assert len(set(done(resumed)["assetIds"])) == 2
    assert uploaded(sandbox) == ["same.png", "same.png"]


def test_an_upload_whose_answer_was_lost_is_found_and_not_sent_again(run: Running, ada: User, sandbox: Sandbox) -> None:
    sandbox.fault("canva", "lost_response", match="POST api.canva.com/rest/v1/asset-uploads")

    result = done(run("upload_asset", mockupUrls=[picture_named(ada, "mug.png")]))

    (kept,) = sandbox.state("canva", "assets")
    assert result["assetIds"] == [kept["id"]]


def test_an_upload_whose_job_never_ends_is_found_in_its_folder(run: Running, ada: User, sandbox: Sandbox) -> None:
    control(sandbox, "POST", "jobs", polls=100)

    result = done(run("upload_asset", mockupUrls=[picture_named(ada, "mug.png")]))

    (kept,) = sandbox.state("canva", "assets")
    assert result["assetIds"] == [kept["id"]]


def test_an_upload_that_never_arrived_is_left_to_its_owner(
    run: Running, ada: User, sandbox: Sandbox, queue: Queue
) -> None:
    sandbox.fault("canva", "reset", match="POST api.canva.com/rest/v1/asset-uploads")

    failed = run("upload_asset", mockupUrls=[picture_named(ada, "mug.png")])
    before = uploaded(sandbox)
    again = carried_out(runs.retry(ada.id, failed.id), queue)

    assert (failed.error_kind, before) == ("OutcomeUnknown", [])
    assert done(again)["assetIds"]
    assert len(uploaded(sandbox)) == 1


def test_an_upload_that_was_answered_with_an_error_is_looked_for_and_sent_again(
    run: Running, ada: User, sandbox: Sandbox, queue: Queue, frozen_clock: FrozenClock
) -> None:
    sandbox.fault("canva", "server_error", match="POST api.canva.com/rest/v1/asset-uploads")

    waiting = run("upload_asset", mockupUrls=[picture_named(ada, "mug.png")])

    assert done(waited_out(waiting, frozen_clock, queue))["assetIds"]
    assert len(uploaded(sandbox)) == 1


@pytest.mark.parametrize("error", ["file_too_big", "import_failed", "fetch_failed"])
def test_a_picture_that_the_platform_cannot_use_is_told_so(
    run: Running, ada: User, sandbox: Sandbox, error: str
) -> None:
    control(sandbox, "POST", "jobs", error=error)

    failed = run("upload_asset", mockupUrls=[mockup_of(ada)])

    assert failed.error_kind == "PlatformError"
    assert error in str(failed.error_detail)


def test_a_refusal_after_the_first_picture_says_which_is_there(run: Running, ada: User, sandbox: Sandbox) -> None:
    small, large = picture_named(ada, "small.png"), mockup_of(ada)
    size = assets.read_picture(ada.id, small).size_bytes
    control(sandbox, "POST", "room", bytes=size + 10)

    failed = run("upload_asset", mockupUrls=[small, large])

    assert failed.error_kind == "PartlyDone"
    assert failed.error_params is not None
    assert failed.error_params["done"] == "small.png"
    assert uploaded(sandbox) == ["small.png"]


def test_a_full_library_is_told_so(run: Running, ada: User, sandbox: Sandbox) -> None:
    control(sandbox, "POST", "room", bytes=10)

    failed = run("upload_asset", mockupUrls=[mockup_of(ada)])

    assert failed.error_kind == "QuotaFull"
    assert uploaded(sandbox) == []


@pytest.mark.parametrize(
    ("size_bytes", "content_type", "words"),
    [(0, "image/png", "empty"), (50_000_000, "image/png", "too large"), (9, "image/svg+xml", "of this kind")],
)
def test_what_would_be_refused_is_not_sent(size_bytes: int, content_type: str, words: str) -> None:
    picture = Picture("mug 100%.png", content_type, "mug", size_bytes, lambda _start, _count: b"")

    with pytest.raises(PlatformError) as refused:
        uploads.check(picture)

    assert words in refused.value.sentence
    assert "mug 100%.png" in refused.value.sentence % refused.value.params


def test_a_wrong_picture_keeps_the_others_from_being_sent(run: Running, ada: User, sandbox: Sandbox) -> None:
    drawing = b'<svg xmlns="http://www.w3.org/2000/svg" width="4" height="4"><path d="M0 0h4v4z"/></svg>'
    svg = assets.link(assets.upload(ada.id, drawing, "drawing.svg"))

    failed = run("upload_asset", mockupUrls=[mockup_of(ada), svg])

    assert failed.error_kind == "PlatformError"
    assert uploaded(sandbox) == []


def test_the_name_travels_in_the_metadata() -> None:
    picture = Picture.of(b"...", filename="mug.png", content_type="image/png")

    request = uploads.upload("Mug 🦊", picture)

    metadata = json.loads(request.headers["Asset-Upload-Metadata"])
    assert b64decode(metadata["name_base64"]).decode() == "Mug 🦊"
    assert request.content == b"..."
    assert not request.may_repeat


# -- connecting


def test_the_account_is_named_as_canva_shows_it(ada: User, connect: Walker) -> None:
    connection = connect(ada, "canva")

    assert connection.account_label == "Ada"
    assert connection.account_id.startswith("oU")


def test_the_method_of_the_challenge_is_spelt_as_canva_spells_it(ada: User) -> None:
    departure = connections.begin(Caller(ada.id), "canva", {})

    assert "code_challenge_method=s256" in departure.url


def test_a_refresh_token_that_canva_does_not_know_needs_the_owner(run: Running, ada: User, sandbox: Sandbox) -> None:
    connection = connections.connected(ada.id, "canva")
    with transaction():
        connection.refresh_token = "nonsense"
    sandbox.fault("canva", "expired_token")

    failed = run("list_designs")

    assert failed.error_kind == "GrantExpired"
    db.session.refresh(connection)
    assert connection.state is ConnectionState.RECONNECT_NEEDED


def test_every_token_call_shows_the_client_by_basic_at_the_present_address(
    ada: User, connect: Walker, sandbox: Sandbox
) -> None:
    connect(ada, "canva")
    connections.disconnect(ada.id, "canva")

    paths = [row["path"] for row in sandbox.received("canva", host="api.canva.com") if "/oauth/" in row["path"]]

    assert paths == ["/auth/v1/oauth/token", "/auth/v1/oauth/revoke"]


def test_a_wrong_client_secret_is_a_matter_of_the_setup(ada: User, connect: Walker) -> None:
    connect(ada, "canva")
    provider = providers.get("canva")
    app = credentials.find(provider, {})
    assert app is not None
    wrong = replace(app, client_secret="wrong")

    with pytest.raises(SetupWrong):
        oauth.refresh(provider, wrong, {}, "a token")
    with pytest.raises(GrantExpired):
        oauth.refresh(provider, app, {}, "a token")
