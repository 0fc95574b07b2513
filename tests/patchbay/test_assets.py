"""Assets: kept once by content, linked for an hour, read by their owner alone."""

from hashlib import sha256
from io import BytesIO
from urllib.parse import urlsplit

import pytest
from flask.testing import FlaskClient
from PIL import Image

from patchbay import assets
from patchbay.errors import Invalid, NotFound
from patchbay.models import AssetKind, User
from patchbay.pictures import templates
from patchbay.settings import Settings
from tests.stage import FrozenClock

pytestmark = pytest.mark.usefixtures("context")


def png(colour: str = "teal", side: int = 64) -> bytes:
    buffer = BytesIO()
    Image.new("RGB", (side, side), colour).save(buffer, "PNG")
    return buffer.getvalue()


def token_of(link: str) -> str:
    return link.rpartition("/")[2].rpartition(".")[0]


def test_an_upload_is_kept_with_what_it_is(ada: User) -> None:
    asset = assets.upload(ada.id, png(), "teal.png")

    assert (asset.kind, asset.name, asset.width, asset.height) == (AssetKind.DESIGN, "teal.png", 64, 64)
    assert asset.content_type == "image/png"
    assert assets.file_of(asset).stat().st_size == asset.size_bytes


@pytest.mark.parametrize(("file_format", "mode"), [("JPEG", "RGB"), ("JPEG", "CMYK"), ("PNG", "RGB"), ("WEBP", "RGB")])
def test_a_photo_that_was_turned_is_kept_upright(ada: User, file_format: str, mode: str) -> None:
    exif = Image.Exif()
    exif[0x0112] = 6  # orientation: turn clockwise to see it upright
    buffer = BytesIO()
    Image.new(mode, (64, 32)).save(buffer, file_format, exif=exif)

    asset = assets.upload(ada.id, buffer.getvalue(), "")

    with Image.open(assets.file_of(asset)) as kept:
        assert (asset.width, asset.height) == kept.size == (32, 64)
        assert (kept.format, kept.mode) == (file_format, "RGB")
    assert asset.sha256 == sha256(assets.file_of(asset).read_bytes()).hexdigest()
    assert asset.size_bytes == assets.file_of(asset).stat().st_size


def test_nothing_is_left_beside_what_is_kept(ada: User, settings: Settings) -> None:
    asset = assets.upload(ada.id, png(), "a.png")
    assets.upload(ada.id, png(), "b.png")

    assert [path for path in (settings.home / "assets").rglob("*") if path.is_file()] == [assets.file_of(asset)]


def test_the_same_picture_twice_is_one_file(ada: User, ben: User, settings: Settings) -> None:
    one, other = assets.upload(ada.id, png(), "a.png"), assets.upload(ben.id, png(), "b.png")

    files = [path for path in (settings.home / "assets").rglob("*") if path.is_file()]
    assert one.id != other.id
    assert one.sha256 == other.sha256
    assert len(files) == 1


@pytest.mark.parametrize("content", [b"", b"no picture", b"\x89PNG\r\n\x1a\n", png()[:60], b"<svg", b"GIF89a"])
def test_what_is_no_usable_picture_is_refused(ada: User, content: bytes, settings: Settings) -> None:
    with pytest.raises(Invalid):
        assets.upload(ada.id, content, "a.png")

    assert list((settings.home / "assets").iterdir()) == []


@pytest.mark.parametrize(
    ("given", "kept"),
    [("../../etc/passwd.png", "passwd.png"), ("C:\\Users\\a.png", "a.png"), ("a\x00\n.png", "a.png"), ("", "design")],
)
def test_a_file_name_is_only_a_name(ada: User, given: str, kept: str) -> None:
    assert assets.upload(ada.id, png(), given).name == kept


def test_a_mockup_is_made_from_a_design(ada: User) -> None:
    design, template = assets.upload(ada.id, png(), "teal.png"), templates.all()[0].id

    mockup = assets.make_mockup(ada.id, design.id, template)

    assert (mockup.kind, mockup.design_id, mockup.template_id) == (AssetKind.MOCKUP, design.id, template)
    assert (mockup.width, mockup.height) == (1600, 1600)


def test_a_mockup_needs_a_template_and_a_design_of_ones_own(ada: User, cleo: User) -> None:
    design = assets.upload(ada.id, png(), "teal.png")

    with pytest.raises(Invalid):
        assets.make_mockup(ada.id, design.id, "spaceship")
    with pytest.raises(NotFound):
        assets.make_mockup(cleo.id, design.id, templates.all()[0].id)


def test_a_link_works_for_an_hour_at_least_and_not_for_ever(ada: User, frozen_clock: FrozenClock) -> None:
    asset = assets.upload(ada.id, png(), "teal.png")
    token = token_of(assets.link(asset))

    frozen_clock.advance(minutes=60)
    within = assets.opened(token)[0].id
    frozen_clock.advance(hours=2)

    assert within == asset.id
    with pytest.raises(NotFound):
        assets.opened(token)


@pytest.mark.parametrize("token", ["", "x", "a.b.c", "../../x"])
def test_a_forged_link_is_not_found(token: str) -> None:
    with pytest.raises(NotFound):
        assets.opened(token)


def test_the_link_of_another_cannot_be_used_for_a_run(ada: User, cleo: User) -> None:
    link = assets.link(assets.upload(ada.id, png(), "teal.png"))

    assets.check_addresses(ada.id, [link])
    with pytest.raises(Invalid):
        assets.check_addresses(cleo.id, [link])
    with pytest.raises(Invalid):
        assets.read_picture(cleo.id, link)


def test_an_own_link_is_read_from_disk(ada: User) -> None:
    content = png()

    picture = assets.read_picture(ada.id, assets.link(assets.upload(ada.id, content, "teal.png")))

    assert picture.content_type == "image/png"
    assert picture.filename.endswith(".png")


def test_a_file_that_is_gone_is_not_found(ada: User, settings: Settings) -> None:
    asset = assets.upload(ada.id, png(), "teal.png")
    for path in (settings.home / "assets").rglob("*.png"):
        path.unlink()

    with pytest.raises(NotFound):
        assets.file_of(asset)


def test_assets_come_in_pages_newest_first_each_to_its_owner(ada: User, cleo: User) -> None:
    ids = [assets.upload(ada.id, png(), f"{number}.png").id for number in range(3)]

    first, cursor = assets.page(ada.id, cursor=None, limit=2)
    second, end = assets.page(ada.id, cursor=cursor, limit=2)

    assert [asset.id for asset in first + second] == ids[::-1]
    assert end is None
    assert assets.page(cleo.id, cursor=None, limit=2) == ([], None)


# -- addresses for runs, which may begin or go on long after they were given


def test_a_link_that_has_ended_still_names_its_owners_picture_and_lets_nobody_in(
    ada: User, cleo: User, frozen_clock: FrozenClock
) -> None:
    link = assets.link(assets.upload(ada.id, png(), "teal.png"))
    frozen_clock.advance(days=30)

    assets.check_addresses(ada.id, [link])

    assert assets.read_picture(ada.id, link).content == png()
    with pytest.raises(Invalid):
        assets.check_addresses(cleo.id, [link])
    with pytest.raises(NotFound):
        assets.opened(token_of(link))


@pytest.mark.parametrize("changed", ["{}x", "x{}", "", "ast_1", "../{}", "{}/../{}"])
def test_a_forged_link_names_nobodys_picture(ada: User, changed: str) -> None:
    link = assets.link(assets.upload(ada.id, png(), "teal.png"))
    forged = link.replace(token_of(link), changed.replace("{}", token_of(link)))

    with pytest.raises(Invalid) as refused:
        assets.check_addresses(ada.id, [forged])

    assert set(refused.value.fields) == {"mockupUrls"}


@pytest.mark.parametrize("address", ["https://[", "https://[::1", "http://a℀b/", "//", "", "https://"])
def test_what_is_no_address_is_refused_by_name(ada: User, address: str) -> None:
    with pytest.raises(Invalid) as refused:
        assets.check_addresses(ada.id, [address])

    assert set(refused.value.fields) == {"mockupUrls"}


def test_the_address_for_a_platform_is_made_anew(ada: User, frozen_clock: FrozenClock) -> None:
    asset = assets.upload(ada.id, png(), "teal.png")
    old = assets.link(asset)
    frozen_clock.advance(hours=5)

    shared = assets.public_address(ada.id, old, "", copy_id="")

    assert shared != old
    assert assets.opened(token_of(shared))[0].id == asset.id
    assert shared.endswith(".png")


def test_a_platform_that_takes_jpeg_is_given_one(ada: User, client: FlaskClient) -> None:
    link = assets.link(assets.upload(ada.id, png(), "teal.png"))

    shared = assets.public_address(ada.id, link, "image/jpeg", copy_id="ast_unused")

    fetched = client.get(urlsplit(shared).path, buffered=True)
    assert shared.endswith(".jpeg")
    assert (fetched.status_code, fetched.mimetype) == (200, "image/jpeg")
    assert Image.open(BytesIO(fetched.data)).format == "JPEG"


def test_a_jpeg_is_given_within_the_bounds_too(ada: User, client: FlaskClient) -> None:
    buffer = BytesIO()
    Image.new("RGB", (100, 400), "teal").save(buffer, "JPEG")
    link = assets.link(assets.upload(ada.id, buffer.getvalue(), "tall.jpg"))

    shared = assets.public_address(ada.id, link, "image/jpeg", copy_id="ast_unused")

    fetched = client.get(urlsplit(shared).path, buffered=True)
    assert Image.open(BytesIO(fetched.data)).size == (320, 400)


def test_the_picture_of_another_user_is_not_shared(ada: User, cleo: User) -> None:
    link = assets.link(assets.upload(ada.id, png(), "teal.png"))

    for content_type in ("", "image/jpeg"):
        with pytest.raises(Invalid):
            assets.public_address(cleo.id, link, content_type, copy_id="ast_unused")


def test_the_picture_of_another_server_is_copied_once(ada: User, cleo: User) -> None:
    address = "https://pictures.example.org/a.png"
    copy = assets.upload(ada.id, png(), "a.png", asset_id="ast_made_in_advance")

    shared = assets.public_address(ada.id, address, "image/jpeg", copy_id=copy.id)

    assert assets.opened(token_of(shared))[0].id == "ast_made_in_advance"
    assert assets.public_address(ada.id, address, "", copy_id="") == address
    with pytest.raises(NotFound):
        assets.public_address(cleo.id, address, "image/jpeg", copy_id=copy.id)
