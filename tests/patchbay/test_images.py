"""Small pictures: made once, kept, forgotten; tokens that nobody can make."""

from datetime import timedelta
from io import BytesIO

import pytest
from PIL import Image

from patchbay import assets, connections, images
from patchbay.errors import NotFound
from patchbay.models import User
from patchbay.pictures import templates
from tests.stage import FrozenClock, Walker

pytestmark = pytest.mark.usefixtures("context")


def size_of(content: bytes) -> tuple[int, int]:
    """Width and height in pixels."""
    return Image.open(BytesIO(content)).size


def test_a_large_design_is_made_small(ada: User) -> None:
    content = BytesIO()
    Image.new("RGB", (1000, 500), "teal").save(content, "PNG")
    asset = assets.upload(ada.id, content.getvalue(), "wide.png")

    assert size_of(images.small(images.of_asset(asset))) == (256, 128)


def test_every_template_has_a_preview() -> None:
    sizes = {size_of(images.small(images.of_template(template.id))) for template in templates.all()}

    assert sizes == {(256, 256)}


def test_a_token_ends(frozen_clock: FrozenClock) -> None:
    token = images.of_template("tpl_mug")
    frozen_clock.advance(hours=25, minutes=1)

    with pytest.raises(NotFound):
        images.small(token)


def test_a_link_to_an_asset_is_no_token_for_its_small_version(ada: User) -> None:
    content = BytesIO()
    Image.new("RGB", (8, 8)).save(content, "PNG")
    asset = assets.upload(ada.id, content.getvalue(), "tiny.png")

    with pytest.raises(NotFound):
        images.small(assets.link(asset).rpartition("/")[2].rpartition(".")[0])


def test_old_pictures_are_forgotten_and_made_again() -> None:
    token = images.of_template("tpl_mug")
    first = images.small(token)

    kept = images.forget_old(older_than=timedelta(days=1))
    gone = images.forget_old(older_than=timedelta(seconds=-1))

    assert (kept, gone) == (0, 1)
    assert images.small(token) == first


def test_a_picture_that_a_platform_names_is_fetched_for_its_connection(ada: User, connect: Walker) -> None:
    connection = connect(ada, "shopify", shop="demo-shop")
    products = connections.ask(ada.id, "shopify", "get_products", {"limit": 1})["products"]

    token = images.of_address(connection, products[0]["images"][0])

    assert max(size_of(images.small(token))) == 256
    assert images.of_address(connection, "no address") == ""
