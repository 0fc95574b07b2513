"""What the root fields of queries mean: shop, app, products by list, id or handle, any node.

The fields below them are in `product_fields`, changes in the mutations, the envelope in `graphql_api`.
"""

from typing import Any

from graphql import GraphQLError

from sandbox.hosts.shopify import shops
from sandbox.hosts.shopify.call import (
    MOST_IDS,
    Call,
    Info,
    Resolver,
    find_media,
    find_product,
    need,
    number_in,
    paged,
    paging_of,
)
from sandbox.hosts.shopify.ids import gid, parse_gid, shop_number
from sandbox.hosts.shopify.listing import count_products, list_products
from sandbox.hosts.shopify.oauth import scope_label, with_implied
from sandbox.hosts.shopify.product_fields import variants_of
from sandbox.store import Document


def _shop(_source: Any, info: Info) -> Document:
    return shops.graphql_node(info.context.shop)


def _app(_source: Any, info: Info, id: str | None = None) -> Document | None:  # noqa: A002 - Shopify's name
    node = app_node(info.context)
    return node if id in (None, node["id"]) else None


def app_node(call: Call) -> Document:
    """The app that asks."""
    number = shop_number(call.app.client_id)
    return {
        "id": gid("App", number),
        "apiKey": call.app.client_id,
        "handle": call.app.client_id,
        "title": call.app.name,
    }


def _installation(_source: Any, info: Info) -> Document:
    call: Call = info.context
    scopes = with_implied(call.grant.scopes)
    return {
        "id": gid("AppInstallation", shop_number(call.shop + call.app.client_id)),
        "accessScopes": [{"handle": scope, "description": scope_label(scope)} for scope in scopes],
        "app": app_node(call),
        "launchUrl": f"https://{call.shop}/admin/apps/{call.app.client_id}",
        "uninstallUrl": None,
    }


def _products(_source: Any, info: Info, **arguments: Any) -> Any:
    need(info, "read_products")
    call: Call = info.context
    sort, query = arguments.get("sortKey") or "ID", arguments.get("query")
    return paged(lambda: list_products(call.catalogue, call.shop, paging_of(arguments), sort, query))


def _products_count(_source: Any, info: Info, **arguments: Any) -> Document:
    need(info, "read_products")
    return count_products(info.context.catalogue, info.context.shop, arguments.get("query"), arguments.get("limit"))


def _product(_source: Any, info: Info, id: str) -> Document | None:  # noqa: A002 - Shopify's name
    need(info, "read_products")
    return find_product(info.context, id)


def _product_by_handle(_source: Any, info: Info, handle: str) -> Document | None:
    need(info, "read_products")
    return info.context.catalogue.by_handle(info.context.shop, handle)  # type: ignore[no-any-return] # context is untyped


def _product_by_identifier(source: Any, info: Info, identifier: Document) -> Document | None:
    given = [name for name, value in identifier.items() if value is not None]
    if len(given) != 1:
        raise GraphQLError("Exactly one of id, handle and customId is required", extensions={"code": "BAD_REQUEST"})
    if given == ["handle"]:
        return _product_by_handle(source, info, identifier["handle"])
    if given == ["id"]:
        return _product(source, info, identifier["id"])
    need(info, "read_products")
    return None


def _variant(_source: Any, info: Info, id: str) -> Document | None:  # noqa: A002 - Shopify's name
    need(info, "read_products")
    call: Call = info.context
    number = number_in(id, "ProductVariant")
    document = call.catalogue.owner_of(call.shop, number) if number is not None else None
    return next((each for each in variants_of(document) if each["number"] == number), None) if document else None


def _node(source: Any, info: Info, id: str) -> Document | None:  # noqa: A002 - Shopify's name
    parsed = parse_gid(id)
    if parsed is None:
        raise GraphQLError(f"Invalid global id '{id}'", extensions={"code": "BAD_USER_INPUT"})
    if parsed[0] == "Product":
        return _product(source, info, id)
    if parsed[0] == "ProductVariant":
        return _variant(source, info, id)
    if parsed[0] == "MediaImage":
        need(info, "read_products", "read_files")
        found = find_media(info.context, id)
        document = info.context.look(found[0]) if found else None
        return next((each for each in document["media"] if each["id"] == id), None) if document else None
    others = (shops.graphql_node(info.context.shop), app_node(info.context), _installation(source, info))
    return next((each for each in others if each["id"] == id), None)


def _nodes(source: Any, info: Info, ids: list[str]) -> list[Document | None]:
    if len(ids) > MOST_IDS:
        text = f"The input array size of {len(ids)} is greater than the maximum allowed of {MOST_IDS}."
        raise GraphQLError(text, extensions={"code": "MAX_INPUT_SIZE_EXCEEDED"})
    return [_node(source, info, each) for each in ids]


ROOT_FIELDS: dict[str, dict[str, Resolver]] = {
    "QueryRoot": {
        "app": _app,
        "currentAppInstallation": _installation,
        "node": _node,
        "nodes": _nodes,
        "product": _product,
        "productByHandle": _product_by_handle,
        "productByIdentifier": _product_by_identifier,
        "productVariant": _variant,
        "products": _products,
        "productsCount": _products_count,
        "shop": _shop,
    },
}
