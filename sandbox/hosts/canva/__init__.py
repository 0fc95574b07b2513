"""Canva as the sandbox plays it: which host and path leads to which part, and what the control calls may ask.

The parts themselves are in the modules beside this one. Designs, exports, assets, the two fixed folders and
the user are played; own folders, comments, imports of files, resizes and brand templates are not: their endpoints do
not exist here.
"""

import re
from typing import ClassVar

from werkzeug.wrappers import Request, Response

from sandbox.grants import Grants, tail_of
from sandbox.hosts.canva import delivery
from sandbox.hosts.canva.access import bearer_token
from sandbox.hosts.canva.assets import Assets
from sandbox.hosts.canva.delivery import Delivery
from sandbox.hosts.canva.designs import Designs
from sandbox.hosts.canva.exports import Exports
from sandbox.hosts.canva.generation import first_designs, generate
from sandbox.hosts.canva.jobs import ERRORS, Jobs
from sandbox.hosts.canva.limits import Limits
from sandbox.hosts.canva.oauth import OAuthServer
from sandbox.hosts.canva.people import PEOPLE, person
from sandbox.hosts.canva.refusals import CanvaRefused, as_json, not_allowed_here
from sandbox.hosts.canva.rest import Rest
from sandbox.platform import ControlForm, ControlRefused, Description, Page, Platform
from sandbox.store import Document, Store

_SITE = "www.canva.com"
_API = "api.canva.com"
_OAUTH = re.compile(r"/(?:auth|rest)/v1/oauth/(token|introspect|revoke)")
_COLLECTIONS = ("designs", "assets")


class Canva(Platform):
    """Canva's OAuth server, REST API and the hosts that it serves files from."""

    key = "canva"
    name = "Canva"
    hosts = (_SITE, _API, delivery.EXPORTS, delivery.THUMBNAILS)
    forms: ClassVar[tuple[ControlForm, ...]] = (
        ControlForm("Delete a design", "DELETE", "designs/{id}", ("id",)),
        ControlForm("Say how the next jobs go", "POST", "jobs", ("polls", "error")),
        ControlForm("Limit the room for uploads", "POST", "room", ("account", "bytes")),
        ControlForm("Use up today's exports", "POST", "exports-used", ("account",)),
    )
    generate_fields = ("count", "seed", "account")
    token_fields = ("scopes", "account")

    def __init__(self, store: Store) -> None:
        super().__init__(store)
        self._grants = Grants(store, self.key)
        self._limits = Limits()
        self._delivery = Delivery(store)
        self._designs = Designs(store, self._delivery)
        self._jobs = Jobs(store)
        exports = Exports(store, self._jobs, self._designs, self._delivery)
        self._assets = Assets(store, self._jobs, self._delivery)
        self._oauth = OAuthServer(store, self._grants)
        self._rest = Rest(self._grants, self._limits, self._designs, exports, self._assets)

    def reset(self) -> None:
        """Ada has a dozen designs and sees one of Ben's; nobody has uploaded anything or called too often."""
        self._limits.clear()
        self._designs.put_many(first_designs())

    def handle(self, request: Request, host: str, path: str) -> Response:
        """Answer as Canva does."""
        if host == _SITE:
            if path != "/api/oauth/authorize":
                return Response("<!doctype html><title>Page not found</title>", 404, mimetype="text/html")
            return self._oauth.authorize(request)
        if host in (delivery.EXPORTS, delivery.THUMBNAILS):
            return self._delivery.serve(request, host, path)
        try:
            oauth = _OAUTH.fullmatch(path)
            return self._oauth_call(request, oauth[1]) if oauth else self._rest.answer(request, path)
        except CanvaRefused as refusal:
            return refusal.answer()

    def is_api_call(self, request: Request, host: str, path: str) -> bool:  # noqa: ARG002 - the host tells all
        """Token endpoints and API; neither the consent page nor the files."""
        return host == _API

    def describe(self, request: Request, host: str, path: str) -> Description:
        """Account and token, of token calls the grant type."""
        if host == _API and _OAUTH.fullmatch(path):
            token = request.form.get("refresh_token") or request.form.get("token") or ""
            return Description(None, request.form.get("grant_type"), tail_of(token), self._account_of(token))
        token = bearer_token(request) or ""
        return Description(None, None, tail_of(token), self._account_of(token))

    def rate_limit(self, request: Request, host: str, path: str, seconds: float) -> Response:  # noqa: ARG002
        """A bare 429: Canva never says how long to wait."""
        return CanvaRefused(429, "too_many_requests", "Throttled because too many requests").answer()

    def server_error(self, request: Request, host: str, path: str) -> Response:  # noqa: ARG002 - one answer for all
        """500 with the platform's own code."""
        return CanvaRefused(500, "internal_error", "An internal error occurred").answer()

    def expire_tokens(self) -> None:
        """As if four hours had passed."""
        self._grants.expire_access_tokens()

    def revoke_grants(self) -> None:
        """As if every user had disconnected every app."""
        self._grants.revoke_all()

    def issue_token(self, wanted: Document) -> Document:
        """`scopes` (text or list) and `account` (default Ada)."""
        return self._oauth.issue(wanted)

    def generate(self, wanted: Document) -> Document:
        """`count` designs from `seed` in `account` (default Ada), in place of those that are there."""
        account = _known_account(wanted.pop("account", None))
        return generate(self._designs, account, wanted)

    def collections(self, shop: str | None) -> dict[str, int]:  # noqa: ARG002 - there are no shops here
        """Designs and assets of all people together; jobs are nothing that anybody keeps."""
        return {name: self.store.count(name) for name in _COLLECTIONS}

    def page(self, collection: str, cursor: str | None, limit: int, shop: str | None) -> Page:  # noqa: ARG002
        """Designs and assets as the app "Patchbay" sees them."""
        page = self.store.page(collection, cursor, limit)
        client_id = next(iter(self._grants.apps))
        if collection == "assets":
            shown = [self._assets.shown(asset, client_id) for asset in page.documents]
        else:
            found = [self._designs.find(key) for key in page.keys]
            shown = [self._designs.shown(design, client_id) for design in found if design is not None]
        return Page(shown, page.next_cursor, page.keys)

    def control(self, request: Request, rest: str) -> Response | None:
        """`DELETE designs/<id>`; `POST jobs` `{"polls"?, "error"?}`, `room` `{"account"?, "bytes"}`, `exports-used`."""
        match request.method, rest.split("/"):
            case "DELETE", ["designs", design_id]:
                if not self._designs.delete(design_id):
                    raise ControlRefused("There is no such design", 404)
                return Response(status=204)
            case "POST", ["jobs"]:
                return self._order_jobs(_wanted(request, "polls", "error"))
            case "POST", ["room"]:
                wanted = _wanted(request, "account", "bytes")
                self._assets.set_room(_known_account(wanted.get("account")), _number(wanted, "bytes", 0))
                return as_json({})
            case "POST", ["exports-used"]:
                account = _known_account(_wanted(request, "account").get("account"))
                for client_id in self._grants.apps:
                    self._limits.use_up_exports(account, client_id)
                return as_json({})
        return None

    def _order_jobs(self, wanted: Document) -> Response:
        error = wanted.get("error") or None
        if error is not None and not any(error in codes for codes in ERRORS.values()):
            raise ControlRefused("error is no error of a job")
        self._jobs.order(polls=_number(wanted, "polls", 1), errors=[error] if error else [])
        return as_json({})

    def _oauth_call(self, request: Request, name: str) -> Response:
        if request.method != "POST":
            raise not_allowed_here()
        calls = {"token": self._oauth.token, "introspect": self._oauth.introspect, "revoke": self._oauth.revoke}
        return calls[name](request)

    def _account_of(self, token: str) -> str | None:
        found = self._grants.find(token) if token else None
        return self._grants.grant_of(found).account if found else None


def _wanted(request: Request, *names: str) -> Document:
    """The body of a control call that takes these fields; raises ControlRefused."""
    wanted = request.get_json(silent=True)
    if not isinstance(wanted, dict) or set(wanted) - set(names):
        raise ControlRefused(f"This call takes {', '.join(names)}")
    return wanted


def _number(wanted: Document, name: str, least: int) -> int:
    """A number of at least `least`, which it also is when none is given."""
    value = wanted.get(name)
    if value in (None, ""):
        return least
    if isinstance(value, str) and value.isascii() and value.isdigit():  # a form of the page sends text
        value = int(value)
    if type(value) is not int or value < least:
        raise ControlRefused(f"{name} must be a number of at least {least}")
    return value


def _known_account(email: object) -> str:
    if not email:
        return PEOPLE[0].email
    found = person(email)
    if found is None:
        raise ControlRefused("account must be an e-mail address")
    return found.email
