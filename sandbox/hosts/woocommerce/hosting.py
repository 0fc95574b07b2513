"""The web host around a store: it may put notices before the JSON, bar the way, or swallow the Authorization header.

Sources: WooCommerce REST API docs "Authentication over HTTPS" (servers that do not pass the header on) and
"Requirements"; WordPress maintenance mode (read 2026-11-21).
"""

from typing import Literal, get_args

from werkzeug.wrappers import Request, Response

from sandbox.hosts.woocommerce.refusals import not_found_page, page
from sandbox.hosts.woocommerce.stores import Store
from sandbox.store import Store as Shelf

Mode = Literal["normal", "notice", "firewall", "maintenance", "plain_permalinks", "strips_authorization"]
MODES: tuple[str, ...] = get_args(Mode)
_NOTICE = (
    b"<br />\n<b>Notice</b>:  Undefined index: title in <b>/var/www/html/wp-content/plugins/banner/banner.php</b>"
    b" on line <b>42</b><br />\n"
)


class Hosting:
    """How each store's web host behaves; kept until the sandbox is reset."""

    def __init__(self, shelf: Shelf) -> None:
        self._shelf = shelf

    def behave(self, store: Store, mode: str) -> None:
        """Behave like this from now on."""
        self._shelf.put("hosting", store.key, {"mode": mode})

    def mode(self, store: Store) -> str:
        """How the host behaves now."""
        kept = self._shelf.get("hosting", store.key)
        return str(kept["mode"]) if kept else "normal"

    @staticmethod
    def refusal(mode: str, path: str) -> Response | None:
        """The page that stands in the way of a path, or None."""
        is_api = path.startswith("/wp-json")
        if mode == "firewall" and is_api:
            return page("403 Forbidden", "<center><h1>403 Forbidden</h1></center><hr><center>nginx</center>", 403)
        if mode == "plain_permalinks" and (is_api or path.startswith("/wc-auth")):
            return not_found_page()
        if mode == "maintenance":
            text = "<p>Briefly unavailable for scheduled maintenance. Check back in a minute.</p>"
            response = page("Maintenance", text, 503)
            response.headers["Retry-After"] = "600"
            return response
        return None

    @staticmethod
    def received(mode: str, request: Request) -> Request:
        """The request as it reaches WordPress."""
        if mode == "strips_authorization":
            request.environ.pop("HTTP_AUTHORIZATION", None)
            return Request(request.environ)
        return request

    @staticmethod
    def disfigured(mode: str, response: Response) -> Response:
        """The answer as it leaves the host."""
        if mode == "notice":
            response.set_data(_NOTICE + response.get_data())
        return response
