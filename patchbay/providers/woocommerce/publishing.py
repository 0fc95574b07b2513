"""Adding pictures to a product: the store fetches each from us, and answers when it has.

WooCommerce has no idempotency keys, so after a lost answer the product itself tells what became of the call.
"""

from collections.abc import Mapping
from typing import Any

from patchbay.errors import N_, NotFoundThere, OutcomeUnknown, ProviderUnavailable
from patchbay.providers.woocommerce.catalogue import FIELDS, Listed, Product
from patchbay.providers.woocommerce.rest import API, read
from patchbay.spec import Api, Request, one_of_several

LOOKS = 12  # five seconds apart: a store may take a minute to fetch a picture and to cut it to all its sizes
LOOK_EVERY_S = 5.0


def publish_mockup(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """Add pictures to a product, one in each request, because the store answers only when it has fetched it."""
    product_id, addresses = values["productId"], values["mockupUrls"]
    for number, address in enumerate(addresses):
        done = N_("%(number)s of %(total)s pictures") if number else ""
        with one_of_several("WooCommerce", done, number=str(number), total=str(len(addresses))):
            add_picture(api, product_id, address, number)
        api.progress(number + 1, len(addresses))
    product = target(api, product_id)
    return {"publishedUrl": product.permalink, "productId": product_id, "count": len(addresses)}


def add_picture(api: Api, product_id: str, address: str, number: int) -> None:
    """Add one picture, once; after a lost answer the product tells whether the store has it."""
    before = api.remember(f"before_{number}", lambda: [image.id for image in target(api, product_id).images])

    def put() -> bool:
        try:
            put_picture(api, product_id, before, address)
        except (OutcomeUnknown, ProviderUnavailable):  # the store, or a server before it, gave up waiting for itself
            for _ in range(LOOKS):
                if appeared(api, product_id, before):
                    return True
                api.pause(LOOK_EVERY_S)
            raise
        return True

    api.once(f"picture_{number}", put, lambda: appeared(api, product_id, before) or None)


def put_picture(api: Api, product_id: str, before: list[int], address: str) -> None:
    """Send the whole list of pictures, the new one at its end: `images` replaces what there was."""
    images = [*({"id": post} for post in before), {"src": api.public_address(address)}]
    request = Request(
        "PUT",
        f"{API}/products/{product_id}",
        params={"_fields": "id"},
        json={"images": images},
        is_repeatable=False,
    )
    read(api, api.send(request), Listed)


def appeared(api: Api, product_id: str, before: list[int]) -> bool:
    """Whether the product has a picture now that it had not before."""
    return any(image.id not in before for image in target(api, product_id).images)


def target(api: Api, product_id: str) -> Product:
    """The product that pictures are added to. Raises NotFoundThere."""
    product = read(api, api.send(Request("GET", f"{API}/products/{product_id}", params={"_fields": FIELDS})), Product)
    if product.status == "trash":
        raise NotFoundThere(f"product {product_id} is in the trash", provider="WooCommerce")
    return product
