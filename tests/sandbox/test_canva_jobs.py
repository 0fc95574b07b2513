"""Canva's asynchronous jobs: exports with their files, uploads with their assets."""

import time

import pytest
import requests

from tests.sandbox.canva_account import Account, opened, picture

DAY_S = 24 * 3600


def later(monkeypatch: pytest.MonkeyPatch, seconds: float) -> None:
    now = time.time
    monkeypatch.setattr(time, "time", lambda: now() + seconds)


def test_a_job_is_in_progress_before_it_is_done(url: str) -> None:
    ada = Account(url)
    begun = ada.export("DAF0summer1").json()["job"]

    looks = [ada.ask(f"exports/{begun['id']}")["job"] for _ in range(3)]

    assert begun["status"] == "in_progress"
    assert [look["status"] for look in looks] == ["in_progress", "success", "success"]
    assert looks[1] == looks[2]


def test_a_job_takes_as_many_looks_as_was_ordered(url: str) -> None:
    ada = Account(url)
    ada.control("POST", "jobs", json={"polls": 4})
    job_id = ada.export("DAF0summer1").json()["job"]["id"]

    states = [ada.ask(f"exports/{job_id}")["job"]["status"] for _ in range(5)]

    assert states == ["in_progress"] * 4 + ["success"]


def test_every_page_is_a_file_of_the_designs_size(url: str) -> None:
    ada = Account(url)

    job = ada.exported("DAF0lookbk1")
    files = [ada.fetch(address) for address in job["urls"]]

    assert [file.headers["Content-Type"] for file in files] == ["image/png"] * 4
    assert {opened(file.content).size for file in files} == {(1600, 900)}
    assert len({file.content for file in files}) == 4


@pytest.mark.parametrize(
    ("form", "files", "media_type", "size"),
    [
        ({"pages": [2, 4]}, 2, "image/png", (1600, 900)),
        ({"as_single_image": True, "pages": [1, 2]}, 1, "image/png", (1600, 1800)),
        ({"type": "jpg", "quality": 60, "pages": [1]}, 1, "image/jpeg", (1600, 900)),
        ({"width": 800, "pages": [1]}, 1, "image/png", (800, 450)),
        ({"width": 800, "height": 500, "pages": [1]}, 1, "image/png", (889, 500)),
        ({"type": "gif"}, 1, "image/gif", (1600, 900)),
        ({"type": "pdf"}, 1, "application/pdf", None),
    ],
)
def test_the_format_is_as_asked(
    url: str, form: dict[str, object], files: int, media_type: str, size: tuple[int, int] | None
) -> None:
    ada = Account(url)

    addresses = ada.exported("DAF0lookbk1", **form)["urls"]
    first = ada.fetch(addresses[0])

    assert len(addresses) == files
    assert first.headers["Content-Type"] == media_type
    if size is None:
        assert first.content.startswith(b"%PDF")
    else:
        assert opened(first.content).size == size


@pytest.mark.parametrize(
    ("design", "form", "status", "code"),
    [
        ("DAnowhere", {}, 404, "design_not_found"),
        ("DAF0benown1", {}, 403, "permission_denied"),
        ("not an id", {}, 400, "invalid_request"),
        ("DAF0lookbk1", {"pages": [9]}, 400, "bad_request_body"),
        ("DAF0lookbk1", {"pages": [0]}, 400, "invalid_field"),
        ("DAF0summer1", {"width": 39}, 400, "bad_request_body"),
        ("DAF0summer1", {"height": 25001}, 400, "bad_request_body"),
        ("DAF0summer1", {"type": "jpg"}, 400, "invalid_field"),
        ("DAF0summer1", {"type": "jpg", "quality": 101}, 400, "invalid_field"),
        ("DAF0summer1", {"type": "cake"}, 400, "bad_request_body"),
        ("DAF0summer1", {"type": "mp4"}, 400, "bad_request_body"),
        ("DAF0notes01", {"type": "png"}, 400, "bad_request_body"),
        ("DAF0summer1", {"transparent_background": True}, 400, "bad_request_params"),
    ],
)
def test_what_is_wrong_at_sight_is_refused(
    url: str, design: str, form: dict[str, object], status: int, code: str
) -> None:
    answer = Account(url).export(design, **form)

    assert (answer.status_code, answer.json()["code"]) == (status, code)


@pytest.mark.parametrize("body", ["{", "[]", "{}", '{"design_id": "DAF0summer1", "format": "png"}'])
def test_a_body_that_is_no_request_is_refused(url: str, body: str) -> None:
    answer = Account(url).call("POST", "exports", data=body, headers={"Content-Type": "application/json"})

    assert answer.status_code == 400
    assert answer.json()["code"] in {"invalid_field", "bad_request_body"}


def test_an_export_request_must_be_json(url: str) -> None:
    answer = Account(url).call("POST", "exports", data={"design_id": "DAF0summer1"})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_header_value")


@pytest.mark.parametrize(
    ("design", "form", "code"),
    [
        ("DAF0sale001", {}, "approval_required"),
        ("DAF0goldfo1", {"export_quality": "pro"}, "license_required"),
        ("DAF0summer1", {"width": 1900}, "license_required"),
        ("DAF0summer1", {"lossless": False}, "license_required"),
    ],
)
def test_a_failure_arrives_in_http_200(url: str, design: str, form: dict[str, object], code: str) -> None:
    job = Account(url).exported(design, **form)

    assert (job["status"], job["error"]["code"]) == ("failed", code)
    assert "urls" not in job


def test_a_premium_design_can_be_had_in_regular_quality(url: str) -> None:
    assert Account(url).exported("DAF0goldfo1")["status"] == "success"


def test_the_next_job_of_a_kind_fails_when_that_was_ordered(url: str) -> None:
    ada = Account(url)
    ada.control("POST", "jobs", json={"error": "internal_failure"})

    upload, first, second = ada.uploaded(picture()), ada.exported("DAF0summer1"), ada.exported("DAF0summer1")

    assert (upload["status"], second["status"]) == ("success", "success")
    assert first["error"]["code"] == "internal_failure"


@pytest.mark.parametrize("resource", ["exports", "asset-uploads"])
def test_jobs_of_others_are_forbidden_and_unknown_ones_not_found(url: str, resource: str) -> None:
    ada, ben = Account(url), Account(url, account="ben@example.org")
    begun = ada.export("DAF0summer1") if resource == "exports" else ada.upload(picture())

    foreign = ben.call("GET", f"{resource}/{begun.json()['job']['id']}")
    unknown = ada.call("GET", f"{resource}/nowhere")

    assert (foreign.status_code, foreign.json()["code"]) == (403, "permission_denied")
    assert (unknown.status_code, unknown.json()["code"]) == (404, "not_found")


def test_addresses_of_exports_end_after_a_day(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = Account(url)
    begun = ada.export("DAF0summer1").json()["job"]["id"]
    address = ada.over("exports", begun)["urls"][0]

    later(monkeypatch, DAY_S - 60)
    in_time = ada.fetch(address)
    later(monkeypatch, 120)
    too_late = ada.fetch(address)

    assert in_time.status_code == 200
    assert too_late.status_code == 403
    assert "Request has expired" in too_late.text


def test_addresses_of_thumbnails_end_after_a_quarter_of_an_hour(url: str, monkeypatch: pytest.MonkeyPatch) -> None:
    ada = Account(url)
    address = ada.ask("designs/DAF0summer1")["design"]["thumbnail"]["url"]

    later(monkeypatch, 901)

    assert ada.fetch(address).status_code == 403


def test_an_address_that_was_changed_opens_nothing(url: str) -> None:
    ada = Account(url)
    address = ada.exported("DAF0summer1")["urls"][0]

    longer = ada.fetch(address.replace("X-Amz-Expires=86400", "X-Amz-Expires=99999999"))
    unsigned = ada.fetch(address.partition("?")[0])
    elsewhere = ada.fetch(address.replace("/0001-", "/0002-"))

    for answer in (longer, unsigned, elsewhere):
        assert answer.status_code == 403
        assert "SignatureDoesNotMatch" in answer.text


def test_formats_are_told_by_design(url: str) -> None:
    ada = Account(url)

    picture_of, notes = (
        ada.ask(f"designs/{identity}/export-formats")["formats"] for identity in ("DAF0summer1", "DAF0notes01")
    )

    assert set(picture_of) == {"pdf", "jpg", "png", "gif"}
    assert set(notes) == {"pdf"}


# -- uploads


@pytest.mark.parametrize("form", ["PNG", "JPEG", "WEBP", "TIFF", "GIF"])
def test_an_uploaded_picture_becomes_an_asset(url: str, form: str) -> None:
    ada = Account(url)

    asset = ada.uploaded(picture(form), "Mug 🦊 / front")["asset"]

    assert asset["name"] == "Mug 🦊 / front"
    assert (asset["metadata"]["width"], asset["metadata"]["height"]) == (60, 40)
    assert opened(ada.fetch(asset["thumbnail"]["url"]).content).size == (60, 40)
    assert ada.ask(f"assets/{asset['id']}")["asset"]["name"] == asset["name"]


def test_a_name_may_come_twice(url: str) -> None:
    ada = Account(url)

    first, second = (ada.uploaded(picture(), "Same")["asset"] for _ in range(2))

    assert first["id"] != second["id"]


def test_an_upload_lies_in_its_folder_before_anybody_looks_at_the_job(url: str) -> None:
    ada = Account(url)
    for number in range(3):
        ada.upload(picture(), f"Mug {number}")

    first = ada.ask("folders/uploads/items", limit=2, sort_by="created_descending")
    second = ada.ask("folders/uploads/items", limit=2, continuation=first["continuation"])

    found = [item["image"] for item in first["items"] + second["items"]]
    assert [each["name"] for each in found] == ["Mug 2", "Mug 1", "Mug 0"]
    assert "continuation" not in second
    assert set(found[0]) == {"type", "id", "name", "tags", "created_at", "updated_at", "thumbnail"}
    assert Account(url, account="ben@example.org").ask("folders/uploads/items") == {"items": []}


def test_the_top_folder_holds_the_users_own_designs(url: str) -> None:
    ada = Account(url)

    first = ada.ask("folders/root/items", limit=10, sort_by="title_ascending")
    second = ada.ask("folders/root/items", limit=10, continuation=first["continuation"])

    found = [item["design"] for item in first["items"] + second["items"]]
    assert len(found) == 12
    assert "owner" not in found[0]
    assert ada.ask("folders/root/items", item_types="image,folder") == {"items": []}
    assert ada.ask("folders/uploads/items", item_types="design") == {"items": []}


@pytest.mark.parametrize(
    ("folder", "params", "status"),
    [
        ("FAnowhere", {}, 404),
        ("uploads", {"sort_by": "colour"}, 400),
        ("uploads", {"item_types": "video"}, 400),
        ("uploads", {"continuation": "nonsense"}, 400),
        ("root", {"continuation": "nonsense"}, 400),
        ("root", {"limit": "0"}, 400),
    ],
)
def test_folders_and_their_parameters_are_checked(url: str, folder: str, params: dict[str, str], status: int) -> None:
    assert Account(url).call("GET", f"folders/{folder}/items", params=params).status_code == status


@pytest.mark.parametrize("content", [b"", b"no picture", picture()[:50]])
def test_what_is_no_picture_fails_in_the_job(url: str, content: bytes) -> None:
    job = Account(url).uploaded(content)

    assert (job["status"], job["error"]["code"]) == ("failed", "import_failed")


def test_a_picture_of_fifty_megabytes_is_too_big(url: str) -> None:
    job = Account(url).uploaded(picture() + bytes(50 * 1024 * 1024))

    assert job["error"]["code"] == "file_too_big"


@pytest.mark.parametrize(
    ("metadata", "code"),
    [
        (None, "invalid_request"),
        ("{}", "invalid_header_value"),
        ("no json", "invalid_header_value"),
        ('{"name_base64": "?"}', "invalid_header_value"),
        ('{"name_base64": ""}', "invalid_field"),
    ],
)
def test_the_metadata_header_is_read(url: str, metadata: str | None, code: str) -> None:
    headers = {"Content-Type": "application/octet-stream"}

    answer = Account(url).call(
        "POST",
        "asset-uploads",
        data=picture(),
        headers=headers | ({"Asset-Upload-Metadata": metadata} if metadata else {}),
    )

    assert (answer.status_code, answer.json()["code"]) == (400, code)


@pytest.mark.parametrize(("name", "status"), [("x" * 50, 200), ("x" * 51, 400), ("🦊" * 25, 200), ("🦊" * 26, 400)])
def test_a_name_has_at_most_fifty_characters(url: str, name: str, status: int) -> None:
    assert Account(url).upload(picture(), name).status_code == status


def test_bytes_must_be_sent_as_such(url: str) -> None:
    answer = Account(url).call("POST", "asset-uploads", data=picture(), headers={"Content-Type": "image/png"})

    assert (answer.status_code, answer.json()["code"]) == (400, "invalid_header_value")


def test_a_full_library_takes_nothing_more(url: str) -> None:
    ada = Account(url)
    content = picture()
    ada.control("POST", "room", json={"bytes": len(content) * 2 - 1})

    first, second = ada.uploaded(content), ada.upload(content)

    assert first["status"] == "success"
    assert (second.status_code, second.json()["code"]) == (403, "quota_exceeded")


def test_an_asset_can_be_renamed_tagged_and_deleted(url: str) -> None:
    ada = Account(url)
    asset_id = ada.uploaded(picture())["asset"]["id"]

    renamed = ada.call("PATCH", f"assets/{asset_id}", json={"name": "Cup", "tags": ["kitchen"]}).json()["asset"]
    deleted = ada.call("DELETE", f"assets/{asset_id}")

    assert (renamed["name"], renamed["tags"]) == ("Cup", ["kitchen"])
    assert deleted.status_code == 204
    assert ada.call("GET", f"assets/{asset_id}").json()["code"] == "asset_not_found"


def test_assets_of_others_are_forbidden(url: str) -> None:
    asset_id = Account(url).uploaded(picture())["asset"]["id"]

    answer = Account(url, account="ben@example.org").call("GET", f"assets/{asset_id}")

    assert (answer.status_code, answer.json()["code"]) == (403, "permission_denied")


@pytest.mark.parametrize("body", [{"name": "x" * 51}, {"name": 7}, {"tags": "x"}])
def test_an_update_that_makes_no_sense_is_refused(url: str, body: dict[str, object]) -> None:
    ada = Account(url)
    asset_id = ada.uploaded(picture())["asset"]["id"]

    assert ada.call("PATCH", f"assets/{asset_id}", json=body).status_code == 400


def test_other_pages_of_the_site_are_not_played(url: str) -> None:
    assert requests.get(f"{url}/www.canva.com/pricing", timeout=10).status_code == 404
