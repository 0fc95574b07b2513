"""What platforms say of single objects: which ids exist, and lists of nothing but ids."""

import pytest

from patchbay import client, providers
from patchbay.models import User
from patchbay.spec import Import
from tests.stage import Walker

pytestmark = pytest.mark.usefixtures("context")

PLATFORMS = {
    "shopify": ({"shop": "demo-shop"}, "gid://shopify/Product/999999999"),
    "woocommerce": ({"store": "demo-store.example"}, "999999999"),
    "etsy": ({}, "999999999"),
    "facebook": ({}, "999999999"),
    "instagram": ({}, "999999999"),
    "canva": ({}, "DAGunknown"),
}


def the_import(key: str) -> Import:
    return providers.get(key).imports[0]


@pytest.mark.parametrize("key", PLATFORMS)
def test_a_platform_tells_which_of_its_objects_exist(key: str, ada: User, connect: Walker) -> None:
    fields, unknown = PLATFORMS[key]
    api = client.of_connection(connect(ada, key, **fields))
    listed = {item.external_id for page in the_import(key).pages(api, None) for item in page.items}
    present = the_import(key).present
    assert present is not None

    found = set(present(api, [*sorted(listed)[:99], unknown]))

    assert len(listed) > 1
    assert found == set(sorted(listed)[:99])


@pytest.mark.parametrize("key", ["shopify", "woocommerce"])
def test_a_list_of_ids_names_what_the_whole_list_does(key: str, ada: User, connect: Walker) -> None:
    api = client.of_connection(connect(ada, key, **PLATFORMS[key][0]))
    listed = {item.external_id for page in the_import(key).pages(api, None) for item in page.items}
    ids = the_import(key).ids
    assert ids is not None

    pages = list(ids(api, None))

    assert {one for page in pages for one in page.versions} == listed
    assert pages[-1].total == len(listed)
