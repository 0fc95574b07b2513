"""Etsy as the sandbox plays it: which host and path leads to which part, and what the control calls may ask.

The parts themselves are in the modules beside this one.
"""

import html
import math
from typing import ClassVar

from werkzeug.wrappers import Request, Response

from sandbox.answers import as_json as as_control_json
from sandbox.grants import Grants, tail_of
from sandbox.hosts.etsy import demo
from sandbox.hosts.etsy.access import app_of, bearer_token, caller_of
from sandbox.hosts.etsy.ids import MOST_GENERATED
from sandbox.hosts.etsy.limits import Limits, Verdict
from sandbox.hosts.etsy.listings import Listings
from sandbox.hosts.etsy.methods import Methods
from sandbox.hosts.etsy.oauth import OAuthServer
from sandbox.hosts.etsy.parameters import body_of
from sandbox.hosts.etsy.pictures import Pictures
from sandbox.hosts.etsy.refusals import EtsyRefused, no_resource
from sandbox.hosts.etsy.sellers import SHOPS, Shop, seller_named
from sandbox.hosts.etsy.shown import PICTURE_HOST, listing_shown, picture_shown
from sandbox.hosts.etsy.webhooks import Webhooks
from sandbox.platform import ControlForm, ControlRefused, Description, Page, Platform, count_and_seed
from sandbox.store import Document, Store

_SITE = "www.etsy.com"
_API = frozenset({"api.etsy.com", "openapi.etsy.com"})
_AUTHORIZE = frozenset({"/oauth/connect", "/oauth/connect/"})
_TOKEN = "/v3/public/oauth/token"  # noqa: S105 - a path, no secret
_APPLICATION = "/v3/application/"


class Etsy(Platform):
    """Etsy's site, its Open API v3 and its pictures; the account of the ledger and of grants is the user id."""

    key: ClassVar[str] = "etsy"
    name: ClassVar[str] = "Etsy"
    hosts: ClassVar[tuple[str, ...]] = (_SITE, *sorted(_API), PICTURE_HOST)
    forms: ClassVar[tuple[ControlForm, ...]] = (
        ControlForm("Change the limits of calls", "POST", "limits", ("perSecond", "perDay")),
        ControlForm("Remove a listing", "DELETE", "listings/{id}", ("id",)),
        ControlForm("Register a webhook", "POST", "webhooks", ("url", "secret")),
        ControlForm("Send an event to webhooks", "POST", "events", ("event", "id", "shop")),
    )

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._grants = Grants(store, self.key)
        self._oauth = OAuthServer(self._grants)
        self._listings = Listings(store)
        self._pictures = Pictures(store)
        self._limits = Limits()
        self._webhooks = Webhooks(store)
        self._methods = Methods(self._listings, self._pictures, self._oauth)

    def reset(self) -> None:
        """The first listings, full budgets."""
        demo.fill(self._listings, self._pictures)
        self._limits.reset()

    def handle(self, request: Request, host: str, path: str) -> Response:
        """Answer as Etsy does."""
        if host == PICTURE_HOST:
            return self._pictures.serve(request, path)
        try:
            if host == _SITE:
                return self._oauth.authorize(request) if path in _AUTHORIZE else self._listing_page(path)
            if path == _TOKEN:
                return self._oauth.token(request)
            return self._call(request, path)
        except EtsyRefused as refusal:
            return refusal.answer()
        finally:
            request.close()  # an uploaded file may lie in a temporary one

    def is_api_call(self, request: Request, host: str, path: str) -> bool:  # noqa: ARG002 - the host tells all
        """API and token calls; the site and the pictures are not."""
        return host in _API

    def describe(self, request: Request, host: str, path: str) -> Description:
        """Account and token, of token calls the grant type."""
        if host in _API and path == _TOKEN:
            try:
                form = body_of(request)
            except EtsyRefused:
                return Description()
            token = form.get("refresh_token", "")
            return Description(None, form.get("grant_type"), tail_of(token), self._account_of(token))
        token = bearer_token(request) or ""
        return Description(None, None, tail_of(token), self._account_of(token))

    def rate_limit(self, request: Request, host: str, path: str, seconds: float) -> Response:  # noqa: ARG002
        """429 with `retry-after` in whole seconds; a long wait is the day's budget, a short one the second's."""
        wait_s = max(1, math.ceil(seconds))
        left_today = self._limits.per_day if wait_s == 1 else 0
        return self._limits.refusal(Verdict(0, left_today, wait_s))

    def server_error(self, request: Request, host: str, path: str) -> Response:  # noqa: ARG002
        """Etsy's own words for a failure of its own."""
        return EtsyRefused(500, "Server Error").answer()

    def expire_tokens(self) -> None:
        """As if an hour had passed."""
        self._grants.expire_access_tokens()

    def revoke_grants(self) -> None:
        """As if every seller had changed the password."""
        self._grants.revoke_all()

    def issue_token(self, wanted: Document) -> Document:
        """`scopes` (text or list), `account` or `shop` (default Ada's), `client_id`."""
        return self._oauth.issue(wanted)

    def generate(self, wanted: Document) -> Document:
        """Let a shop have exactly `count` computed listings of a `seed`; what it had goes."""
        count, seed = count_and_seed(wanted, MOST_GENERATED, "shop")
        shop = _shop_of(wanted.get("shop"))
        self._listings.generate(shop, count, seed)
        return {"shop": shop.name, "listings": count, "images": self._listings.count_pictures(shop), "seed": seed}

    def collections(self, shop: str | None) -> dict[str, int]:
        """Listings and their pictures, computed ones too."""
        asked = _shop_of(shop)
        return {"listings": self._listings.count(asked), "images": self._listings.count_pictures(asked)}

    def page(self, collection: str, cursor: str | None, limit: int, shop: str | None) -> Page:
        """Listings as their owner sees them, with `images`; pictures whole listings at a time, so perhaps a few more
        than `limit`."""
        if cursor is not None and not (cursor.isascii() and cursor.isdigit() and len(cursor) < 18):
            raise ControlRefused("cursor is none of this collection")
        asked = _shop_of(shop)
        shown: list[Document] = []
        last: str | None = None
        for listing in self._listings.after(asked, None if cursor is None else int(cursor)):
            if len(shown) >= limit:
                return Page(shown, last)
            pictures = self._pictures.of(listing)
            images = [picture_shown(picture, rank) for rank, picture in enumerate(pictures, 1)]
            shown.extend(images if collection == "images" else [listing_shown(listing, asked) | {"images": images}])
            last = str(listing["listing_id"])
        return Page(shown, None)

    def control(self, request: Request, rest: str) -> Response | None:
        """`POST limits` `{"perSecond", "perDay"}`, `POST webhooks` `{"url", "secret"}`, `POST events` `{"event", "id",
        "shop"}`, and `DELETE listings/<id>`."""
        posted = {"limits": self._set_limits, "webhooks": self._webhooks.register, "events": self._send}.get(rest)
        if posted is not None and request.method == "POST":
            wanted = request.get_json(silent=True)
            if not isinstance(wanted, dict):
                raise ControlRefused("The body must be a JSON object")
            return as_control_json(posted(wanted))
        number = rest.removeprefix("listings/")
        if number != rest and request.method == "DELETE":
            listing = self._listings.get(int(number)) if number.isascii() and number.isdigit() else None
            if listing is None:
                raise ControlRefused("There is no such listing", 404)
            self._listings.delete(listing)
            return Response(status=204)
        return None

    def _call(self, request: Request, path: str) -> Response:
        app = app_of(request, self._grants)
        caller = caller_of(request, app, self._grants)
        if not path.startswith(_APPLICATION):
            raise no_resource()
        verdict = self._limits.take((app.client_id, caller.seller.account if caller.seller else None))
        if verdict.wait_s is not None:
            return self._limits.refusal(verdict)
        try:
            answer = self._methods.handle(request, caller, path.removeprefix(_APPLICATION))
        except EtsyRefused as refusal:
            answer = refusal.answer()
        return self._limits.mark(answer, verdict)

    def _set_limits(self, wanted: Document) -> Document:
        if set(wanted) - {"perSecond", "perDay"}:
            raise ControlRefused("limits takes perSecond and perDay")
        if not all(type(value) is int and value >= 0 for value in wanted.values()):
            raise ControlRefused("limits are numbers of calls")
        self._limits.per_second = wanted.get("perSecond", self._limits.per_second)
        self._limits.per_day = wanted.get("perDay", self._limits.per_day)
        return {"perSecond": self._limits.per_second, "perDay": self._limits.per_day}

    def _send(self, wanted: Document) -> Document:
        return self._webhooks.send(_shop_of(wanted.get("shop")), wanted)

    def _listing_page(self, path: str) -> Response:
        """What a browser sees at a listing's address."""
        parts = path.split("/")
        number = parts[2] if len(parts) > 2 and parts[1] == "listing" else ""
        listing = self._listings.get(int(number)) if number.isascii() and number.isdigit() else None
        if listing is None:
            return Response("<!doctype html><title>Page not found</title>", 404, mimetype="text/html")
        title = html.escape(listing["title"])
        return Response(f"<!doctype html><title>{title}</title><h1>{title}</h1>", mimetype="text/html")

    def _account_of(self, token: str) -> str | None:
        found = self._grants.find(token) if token else None
        return self._grants.grant_of(found).account if found else None


def _shop_of(text: object) -> Shop:
    """The shop that a control call means, Ada's by default; raises ControlRefused."""
    if text is None:
        return SHOPS[0]
    seller = seller_named(text) if isinstance(text, str) else None
    if seller is None or seller.shop is None:
        raise ControlRefused("shop must be a shop's name or number")
    return seller.shop
