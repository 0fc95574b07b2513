"""What changes through GraphQL: products, their pictures, the app taken out of the shop.

Files and uploads are in `file_mutations`, what happens to a picture afterwards in `media`.
"""

from typing import Any

from sandbox.hosts.shopify import shops
from sandbox.hosts.shopify.call import Call, Info, Resolver, find_product, need
from sandbox.hosts.shopify.file_mutations import InputRefused, take_out
from sandbox.hosts.shopify.ids import now_text
from sandbox.hosts.shopify.media import SourceRefused
from sandbox.hosts.shopify.products import NewProduct, default_variant, handle_of
from sandbox.hosts.shopify.resolvers import app_node
from sandbox.store import Document

_PRODUCT_FIELDS = ("title", "descriptionHtml", "vendor", "productType", "status", "tags")
_LONGEST_TITLE = 255
_MOST_TAGS = 250


def _product_update(_source: Any, info: Info, **arguments: Any) -> Document:
    need(info, "write_products")
    call: Call = info.context
    wanted = arguments.get("product") or arguments.get("input") or {}
    try:
        with call.catalogue.transaction():
            document = find_product(call, wanted["id"]) if wanted.get("id") else None
            if document is None:
                raise InputRefused(["id"], "Product does not exist")
            _change_fields(call, document, wanted)
            _attach(call, document, arguments.get("media") or [])
            document = call.catalogue.change(call.shop, document)
            call.looked[document["number"]] = document
            return {"product": document, "userErrors": []}
    except InputRefused as refusal:
        return {"product": None, "userErrors": [refusal.user_error()]}


def _product_create(_source: Any, info: Info, **arguments: Any) -> Document:
    need(info, "write_products")
    call: Call = info.context
    wanted = arguments.get("product") or arguments.get("input") or {}
    shop = shops.graphql_node(call.shop)
    try:
        _check_title(wanted.get("title"))
        with call.catalogue.transaction():
            handle = handle_of(wanted.get("handle") or wanted["title"])
            new = NewProduct(
                title=wanted["title"],
                handle=handle,
                vendor=shops.shop_name(call.shop),
                status=wanted.get("status") or "ACTIVE",
                variants=[default_variant()],
            )
            document = call.catalogue.add(call.shop, new)
            _change_fields(call, document, {name: value for name, value in wanted.items() if name != "handle"})
            _attach(call, document, arguments.get("media") or [])
            document = call.catalogue.change(call.shop, document)
            call.looked[document["number"]] = document
            return {"product": document, "shop": shop, "userErrors": []}
    except InputRefused as refusal:
        return {"product": None, "shop": shop, "userErrors": [refusal.user_error()]}


def _product_delete(_source: Any, info: Info, input: Document) -> Document:  # noqa: A002 - Shopify's name
    need(info, "write_products")
    call: Call = info.context
    shop = shops.graphql_node(call.shop)
    document = find_product(call, input["id"])
    if document is None:
        error = InputRefused(["id"], "Product does not exist").user_error()
        return {"deletedProductId": None, "shop": shop, "userErrors": [error]}
    call.catalogue.delete(call.shop, document)
    return {"deletedProductId": document["id"], "shop": shop, "userErrors": []}


def _product_create_media(_source: Any, info: Info, **arguments: Any) -> Document:
    need(info, "write_products")
    call: Call = info.context
    try:
        with call.catalogue.transaction():
            document = _owner(call, arguments["productId"])
            added = _attach(call, document, arguments["media"])
            document = call.catalogue.change(call.shop, document)
            call.looked[document["number"]] = document
            return {"media": added, "product": document, "mediaUserErrors": [], "userErrors": []}
    except InputRefused as refusal:
        return _media_refused(refusal)


def _product_update_media(_source: Any, info: Info, **arguments: Any) -> Document:
    need(info, "write_products")
    call: Call = info.context
    try:
        with call.catalogue.transaction():
            document = _owner(call, arguments["productId"])
            changed = []
            for index, wanted in enumerate(arguments["media"]):
                entry = _own_media(document, wanted["id"], ["media", str(index), "id"])
                if "alt" in wanted:
                    entry |= {"alt": wanted["alt"], "updatedAt": now_text()}
                changed.append(entry)
            document = call.catalogue.change(call.shop, document)
            return {"media": changed, "product": document, "mediaUserErrors": [], "userErrors": []}
    except InputRefused as refusal:
        return _media_refused(refusal)


def _product_delete_media(_source: Any, info: Info, **arguments: Any) -> Document:
    need(info, "write_products")
    call: Call = info.context
    try:
        with call.catalogue.transaction():
            document = _owner(call, arguments["productId"])
            for index, wanted in enumerate(arguments["mediaIds"]):
                take_out(document, _own_media(document, wanted, ["mediaIds", str(index)]))
            document = call.catalogue.change(call.shop, document)
            return {
                "deletedMediaIds": arguments["mediaIds"],
                "deletedProductImageIds": [
                    each.replace("MediaImage", "ProductImage") for each in arguments["mediaIds"]
                ],
                "product": document,
                "mediaUserErrors": [],
                "userErrors": [],
            }
    except InputRefused as refusal:
        return _media_refused(refusal) | {"deletedMediaIds": None, "deletedProductImageIds": None}


def _app_uninstall(_source: Any, info: Info) -> Document:
    call: Call = info.context
    call.oauth.uninstall(call.grant)
    return {"app": app_node(call), "userErrors": []}


def _change_fields(call: Call, document: Document, wanted: Document) -> None:
    if "title" in wanted:
        _check_title(wanted["title"])
    if len(wanted.get("tags") or ()) > _MOST_TAGS:
        raise InputRefused(["tags"], f"Product can't have more than {_MOST_TAGS} tags")
    document |= {name: wanted[name] for name in _PRODUCT_FIELDS if wanted.get(name) is not None}
    if wanted.get("seo"):
        document["seo"] = {**document["seo"], **wanted["seo"]}
    if wanted.get("status"):
        document["publishedAt"] = (document["publishedAt"] or now_text()) if wanted["status"] == "ACTIVE" else None
    handle = wanted.get("handle")
    if handle and handle_of(handle) != document["handle"]:
        if call.catalogue.by_handle(call.shop, handle_of(handle)) is not None:
            raise InputRefused(["handle"], f"Handle '{handle}' already in use. Please provide a new handle.")
        document["handle"] = handle_of(handle)


def _check_title(title: str | None) -> None:
    if not (title or "").strip():
        raise InputRefused(["title"], "Title can't be blank")
    if len(title or "") > _LONGEST_TITLE:
        raise InputRefused(["title"], f"Title is too long (maximum is {_LONGEST_TITLE} characters)")


def _attach(call: Call, document: Document, inputs: list[Document]) -> list[Document]:
    try:
        return call.media.attach(document, inputs)
    except SourceRefused as refusal:
        place = ["media"] if refusal.field == "media" else ["media", str(refusal.index), refusal.field]
        raise InputRefused(place, refusal.text, refusal.code) from refusal


def _owner(call: Call, product_id: str) -> Document:
    document = find_product(call, product_id)
    if document is None:
        raise InputRefused(["productId"], "Product does not exist", "PRODUCT_DOES_NOT_EXIST")
    return document


def _own_media(document: Document, media_id: str, place: list[str]) -> Document:
    for entry in document["media"]:
        if entry["id"] == media_id:
            found: Document = entry
            return found
    raise InputRefused(place, f"Media id {media_id} does not exist", "MEDIA_DOES_NOT_EXIST")


def _media_refused(refusal: InputRefused) -> Document:
    error = refusal.user_error()
    return {"media": None, "product": None, "mediaUserErrors": [error], "userErrors": [error]}


PRODUCT_MUTATIONS: dict[str, Resolver] = {
    "appUninstall": _app_uninstall,
    "productCreate": _product_create,
    "productCreateMedia": _product_create_media,
    "productDelete": _product_delete,
    "productDeleteMedia": _product_delete_media,
    "productUpdate": _product_update,
    "productUpdateMedia": _product_update_media,
}
