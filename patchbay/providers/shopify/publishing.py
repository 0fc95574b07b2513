"""Adding pictures to a product: staged upload, mutation, and the wait until the shop has processed them."""

from collections.abc import Mapping
from typing import Any

from patchbay.errors import N_, NotFoundThere, PlatformError
from patchbay.providers.shopify.graphql import Answered, ask, mutate
from patchbay.spec import Api, Picture, Request

MEDIA_POLLS = 40
MOST_MB = 20

TARGET = """query Target($id: ID!) { product(id: $id) { handle onlineStoreUrl
  media(first: 250, reverse: true) { nodes { id status mediaErrors { message } } } } }"""
STAGE = """mutation Stage($input: [StagedUploadInput!]!) { stagedUploadsCreate(input: $input) {
  stagedTargets { url resourceUrl parameters { name value } } userErrors { field message } } }"""
ADD_MEDIA = """mutation AddMedia($id: ID!, $media: [CreateMediaInput!]!) {
  productUpdate(product: {id: $id}, media: $media) { product { id } userErrors { field message } } }"""


def publish_mockup(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """Add pictures to a product: staged upload, then `productUpdate`, then wait until the shop has processed them."""
    product_id = values["productId"]
    before = api.remember(
        "media_before", lambda: [medium["id"] for medium in target(api, product_id)["media"]["nodes"]]
    )
    pictures = [api.picture(address) for address in values["mockupUrls"]]
    for picture in pictures:
        check_size(picture)
    api.once("media", lambda: add(api, product_id, pictures), lambda: bool(added(api, product_id, before)) or None)
    wait_until_ready(api, product_id, before)
    product = target(api, product_id)
    address = product["onlineStoreUrl"] or f"https://{api.settings['shop']}/products/{product['handle']}"
    return {"publishedUrl": address, "productId": product_id, "count": len(pictures)}


def add(api: Api, product_id: str, pictures: list[Picture]) -> bool:
    """Stage the pictures and add them, all in one mutation, which Shopify has no key to do only once."""
    media = [
        {"originalSource": stage(api, picture, number), "mediaContentType": "IMAGE", "alt": picture.name}
        for number, picture in enumerate(pictures)
    ]
    mutate(api, ADD_MEDIA, "productUpdate", id=product_id, media=media)
    return True


def check_size(picture: Picture) -> None:
    """Raise PlatformError for what would be refused there, before anything is sent or read."""
    if picture.size_bytes > MOST_MB * 1024 * 1024:
        sentence = N_("%(name)s is too large: %(provider)s takes pictures of up to %(most)s MB. Nothing was changed.")
        words = {"name": picture.filename, "most": str(MOST_MB), "provider": "Shopify"}
        raise PlatformError(f"{picture.size_bytes} bytes", sentence=sentence, **words)


def target(api: Api, product_id: str) -> dict[str, Any]:
    """The product that pictures are added to, with its media. Raises NotFoundThere."""
    product = ask(api, TARGET, Answered[dict[str, Any]], id=product_id).data["product"]
    if not isinstance(product, dict):
        raise NotFoundThere(product_id, provider="Shopify")
    return product


def added(api: Api, product_id: str, before: list[str]) -> list[dict[str, Any]]:
    """The media that the product has now and had not before: after a lost answer it tells what became of the call."""
    return [medium for medium in target(api, product_id)["media"]["nodes"] if medium["id"] not in before]


def stage(api: Api, picture: Picture, number: int) -> str:
    """Upload one picture to the shop's staging area; the address that a mutation takes."""
    api.progress(number, None)
    wanted = {
        "filename": picture.filename,
        "mimeType": picture.content_type,
        "resource": "IMAGE",
        "httpMethod": "POST",
        "fileSize": str(picture.size_bytes),
    }
    place = mutate(api, STAGE, "stagedUploadsCreate", is_repeatable=True, input=[wanted])["stagedTargets"][0]
    form = {parameter["name"]: parameter["value"] for parameter in place["parameters"]}
    files = {"file": (picture.filename, picture.content, picture.content_type)}
    api.send(Request("POST", place["url"], form=form, files=files, with_token=False, is_repeatable=True))
    return str(place["resourceUrl"])


def wait_until_ready(api: Api, product_id: str, before: list[str]) -> None:
    """Media is processed behind the mutation's back. Raises PlatformError when the shop could not use a picture."""
    for _ in range(MEDIA_POLLS):
        media = added(api, product_id, before)
        failed = [
            error["message"] for medium in media for error in medium["mediaErrors"] if medium["status"] == "FAILED"
        ]
        if failed:
            words = "; ".join(failed)
            raise PlatformError(words, sentence=N_("Shopify could not use the picture: %(words)s"), words=words)
        if media and all(medium["status"] == "READY" for medium in media):
            return
        api.pause(0.5)
    api.log(N_("Shopify is still processing the pictures; they will appear by themselves."))
