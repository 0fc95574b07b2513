"""The calls of Open API v3 that the sandbox serves, each with the access it asks for.

Source: the Open API 3.0.0 document, the operations named beside the routes (read 2026-11-21). Who calls is found out in
`access`, what a listing must have in `drafts`, how it looks in `shown`.
"""

import re
from collections.abc import Callable
from typing import Final

from werkzeug.wrappers import Request, Response

from sandbox.hosts.etsy import drafts, taxonomy
from sandbox.hosts.etsy import parameters as given
from sandbox.hosts.etsy.access import Caller
from sandbox.hosts.etsy.asked import Asked, is_visible
from sandbox.hosts.etsy.generation import STATES
from sandbox.hosts.etsy.image_methods import ImageMethods
from sandbox.hosts.etsy.listings import Listings
from sandbox.hosts.etsy.oauth import OAuthServer
from sandbox.hosts.etsy.pictures import Pictures
from sandbox.hosts.etsy.refusals import EtsyRefused, as_json, many, no_listing, no_resource
from sandbox.hosts.etsy.sellers import (
    SHOPS,
    Shop,
    processing_profiles,
    return_policies,
    shipping_profiles,
    shop_shown,
    shop_with,
)
from sandbox.hosts.etsy.shown import association, inventory_shown, listing_shown
from sandbox.store import Document

DEEPEST_SEARCH: Final = 12_000
_SHOP_INCLUDES: Final = frozenset(
    {"Shipping", "Images", "Shop", "User", "Translations", "Inventory", "Videos", "Personalization", "BuyerPrice"}
)
_LISTING_INCLUDES: Final = _SHOP_INCLUDES - {"Shipping", "Inventory"}


_Call = Callable[[Asked], Response]


class Methods:
    """The calls below /v3/application/."""

    def __init__(self, listings: Listings, pictures: Pictures, oauth: OAuthServer) -> None:
        self._listings, self._pictures, self._oauth = listings, pictures, oauth
        self._images = ImageMethods(listings, pictures)
        shop, listing, picture = r"shops/(?P<shop>\d+)", r"(?P<listing>\d+)", r"(?P<picture>\d+)"
        self._routes: list[tuple[str, str, str | None, _Call]] = [
            ("GET", "openapi-ping", None, self._ping),
            ("POST", "scopes", None, self._token_scopes),
            ("GET", "users/me", "shops_r", self._get_me),
            ("GET", r"users/(?P<user>\d+)/shops", None, self._get_shop_by_owner),
            ("GET", "seller-taxonomy/nodes", None, self._get_taxonomy),
            ("GET", shop, None, self._get_shop),
            ("GET", f"{shop}/shipping-profiles", "shops_r", self._get_shipping_profiles),
            ("GET", f"{shop}/readiness-state-definitions", "shops_r", self._get_processing_profiles),
            ("GET", f"{shop}/policies/return", "shops_r", self._get_return_policies),
            ("GET", f"{shop}/listings", "listings_r", self._get_listings_by_shop),
            ("POST", f"{shop}/listings", "listings_w", self._create_draft_listing),
            ("GET", f"{shop}/listings/active", None, self._find_active_by_shop),
            ("PATCH", f"{shop}/listings/{listing}", "listings_w", self._update_listing),
            ("POST", f"{shop}/listings/{listing}/images", "listings_w", self._images.upload),
            ("DELETE", f"{shop}/listings/{listing}/images/{picture}", "listings_w", self._images.delete),
            ("GET", "listings/batch", None, self._get_listings_by_ids),
            ("GET", "listings/batch/inventory", None, self._get_inventory_by_ids),
            ("GET", f"listings/{listing}", None, self._get_listing),
            ("DELETE", f"listings/{listing}", "listings_d", self._delete_listing),
            ("GET", f"listings/{listing}/inventory", "listings_r", self._get_inventory),
            ("GET", f"listings/{listing}/images", None, self._images.list_all),
            ("GET", f"listings/{listing}/images/{picture}", None, self._images.get),
        ]

    def handle(self, request: Request, caller: Caller, resource: str) -> Response:
        """Answer a call; `resource` is the path behind /v3/application/. Raises EtsyRefused."""
        wanted = "GET" if request.method == "HEAD" else request.method
        for method, pattern, scope, call in self._routes:
            match = re.fullmatch(pattern, resource, re.ASCII)
            if match is None or method != wanted:
                continue
            if scope is not None:
                caller.demand(scope)
            return call(Asked(request, caller, {name: int(text[:18]) for name, text in match.groupdict().items()}))
        raise no_resource()

    def _ping(self, asked: Asked) -> Response:
        number = 1 + list(self._oauth.apps).index(asked.caller.app.client_id)
        return as_json({"application_id": number})

    def _token_scopes(self, asked: Asked) -> Response:
        return as_json(self._oauth.scopes_of(given.needed_text(given.body_of(asked.request), "token")))

    def _get_me(self, asked: Asked) -> Response:
        seller = asked.caller.demand("shops_r")
        return as_json({"user_id": seller.user_id} | ({"shop_id": seller.shop.shop_id} if seller.shop else {}))

    def _get_shop_by_owner(self, asked: Asked) -> Response:
        user_id = asked.place["user"]
        shop = next((each for each in SHOPS if each.user_id == user_id), None)
        if shop is None:
            raise EtsyRefused(404, f"Could not find a shop for user with user_id = {user_id}")
        return as_json(self._shop_shown(shop))

    def _get_shop(self, asked: Asked) -> Response:
        return as_json(self._shop_shown(asked.shop()))

    def _get_taxonomy(self, asked: Asked) -> Response:  # noqa: ARG002 - every call is handed what was asked
        return many(taxonomy.nodes())

    def _get_shipping_profiles(self, asked: Asked) -> Response:
        return many(shipping_profiles(asked.own_shop()))

    def _get_processing_profiles(self, asked: Asked) -> Response:
        found = processing_profiles(asked.own_shop())
        limit, offset = given.window(asked.request)
        return many(found[offset : offset + limit], len(found))

    def _get_return_policies(self, asked: Asked) -> Response:
        return many(return_policies(asked.own_shop()))

    def _get_listings_by_shop(self, asked: Asked) -> Response:
        shop = asked.own_shop()
        state = given.choice(asked.request.args, "state", STATES, "active")
        limit, offset = given.window(asked.request)
        included = _includes(asked.request, _SHOP_INCLUDES)
        found = self._listings.in_state(shop, state, offset, limit)
        return many([self._shown(each, included) for each in found], self._listings.count(shop, state))

    def _find_active_by_shop(self, asked: Asked) -> Response:
        """The search: with `keywords` all of which must be in title, description or tags."""
        shop = asked.shop()
        limit, offset = given.window(asked.request)
        if offset > DEEPEST_SEARCH:
            raise EtsyRefused(400, "Offset provided is greater than the maximum offset allowed.")
        wanted = asked.request.args.get("keywords", "").lower().split()
        if not wanted:
            found = self._listings.in_state(shop, "active", offset, limit)
            return many([listing_shown(each, shop) for each in found], self._listings.count(shop, "active"))
        matching = [each for each in self._listings.after(shop) if each["state"] == "active" and _has(each, wanted)]
        shown = matching[::-1][offset : offset + limit]
        return many([listing_shown(each, shop) for each in shown], len(matching))

    def _get_listings_by_ids(self, asked: Asked) -> Response:
        included = _includes(asked.request, _LISTING_INCLUDES)
        return many([self._shown(each, included) for each in self._batch(asked)])

    def _get_inventory_by_ids(self, asked: Asked) -> Response:
        return many([self._shown(each, ["Inventory"]) for each in self._batch(asked)])

    def _get_listing(self, asked: Asked) -> Response:
        return as_json(self._shown(asked.visible(self._listings), _includes(asked.request, _LISTING_INCLUDES)))

    def _get_inventory(self, asked: Asked) -> Response:
        listing = asked.visible(self._listings)
        return as_json(inventory_shown(listing, asked.caller.demand_shop(listing["shop_id"])))

    def _create_draft_listing(self, asked: Asked) -> Response:
        shop = asked.own_shop()
        values = given.body_of(asked.request)
        with self._listings.transaction():
            listing = self._listings.add(shop, drafts.new_draft(shop, values))
            self._images.attach(listing, given.numbers(values, "image_ids"))
            self._listings.keep(listing)
        return as_json(listing_shown(listing, shop), 201)

    def _update_listing(self, asked: Asked) -> Response:
        shop = asked.own_shop()
        values = given.body_of(asked.request)
        with self._listings.transaction():
            listing = asked.own_listing(self._listings)
            if "image_ids" in values:
                self._images.attach(listing, given.numbers(values, "image_ids"))
            listing = self._listings.change(drafts.changed(shop, listing, values))
        return as_json(listing_shown(listing, shop))

    def _delete_listing(self, asked: Asked) -> Response:
        listing = asked.visible(self._listings)
        asked.caller.demand_shop(listing["shop_id"])
        self._listings.delete(listing)
        return Response(status=204)

    def _batch(self, asked: Asked) -> list[Document]:
        wanted = given.listed(asked.request, "listing_ids")
        if (
            not wanted
            or len(wanted) > given.MOST_RESULTS
            or not all(re.fullmatch(r"[0-9]{1,18}", each) for each in wanted)
        ):
            raise EtsyRefused(400, f"listing_ids must name 1 to {given.MOST_RESULTS} listings.")
        found = (self._listings.get(int(each)) for each in wanted)
        return [each for each in found if each is not None and is_visible(each, asked.caller)]

    def _shop_shown(self, shop: Shop) -> Document:
        digital = sum(1 for each in self._listings.in_state(shop, "active", 0, 100) if each["type"] == "download")
        return shop_shown(shop, self._listings.count(shop, "active"), digital)

    def _shown(self, listing: Document, included: list[str]) -> Document:
        shop = shop_with(listing["shop_id"])
        if shop is None:
            raise no_listing(listing["listing_id"])
        shown = listing_shown(listing, shop)
        shown |= {"skus": [product["sku"] for product in listing["products"] if product["sku"]], "views": 0}
        for name in included:
            if name == "Shop":
                shown["shop"] = self._shop_shown(shop)
            else:
                key, value = association(name, listing, shop, self._pictures.of(listing))
                shown[key] = value
        return shown


def _includes(request: Request, allowed: frozenset[str]) -> list[str]:
    wanted = given.listed(request, "includes")
    for name in wanted:
        if name not in allowed:
            raise EtsyRefused(400, f"Invalid value for 'includes' (got {name[:60]}).")
    return wanted


def _has(listing: Document, wanted: list[str]) -> bool:
    text = " ".join((listing["title"], listing["description"], *listing["tags"])).lower()
    return all(word in text for word in wanted)
