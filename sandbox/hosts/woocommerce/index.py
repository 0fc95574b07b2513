"""What a store says of itself: the index of its REST API, the routes of a namespace, the system status.

Sources: WordPress REST API "Discovery"; WooCommerce REST API docs "System status" (read 2026-11-21).
"""

from sandbox.hosts.woocommerce.products import DEFAULTS
from sandbox.hosts.woocommerce.stores import GMT_OFFSET, Store
from sandbox.store import Document

VERSION = "11.1.0"
_NAMESPACES = ["oembed/1.0", "wc/v1", "wc/v2", "wc/v3", "wc/store", "wc/store/v1", "wp/v2"]
_ROUTES = {
    "/wc/v3/products": ["GET", "POST"],
    "/wc/v3/products/(?P<id>[\\d]+)": ["GET", "POST", "PUT", "PATCH", "DELETE"],
    "/wc/v3/products/batch": ["POST", "PUT", "PATCH"],
    "/wc/v3/products/(?P<product_id>[\\d]+)/variations": ["GET"],
    "/wc/v3/products/(?P<product_id>[\\d]+)/variations/(?P<id>[\\d]+)": ["GET"],
    "/wc/v3/system_status": ["GET"],
}
_TYPES = {str: "string", int: "integer", bool: "boolean", list: "array"}


def root(store: Store) -> Document:
    """The index at `/wp-json/`, which anybody may read."""
    return {
        "name": store.name,
        "description": "Printed to order",
        "url": store.home,
        "home": store.home,
        "gmt_offset": GMT_OFFSET.total_seconds() / 3600,
        "timezone_string": "",
        "page_for_posts": 0,
        "page_on_front": 0,
        "show_on_front": "posts",
        "namespaces": _NAMESPACES,
        "authentication": {},
        "routes": _routes(store, ""),
        "_links": {"help": [{"href": "https://developer.wordpress.org/rest-api/"}]},
    }


def namespace(store: Store, route: str) -> Document:
    """The index of a namespace: its routes."""
    routes = _routes(store, route)
    return {"namespace": route.strip("/"), "routes": routes, "_links": {"up": [{"href": f"{store.home}/wp-json/"}]}}


def product_options() -> Document:
    """What OPTIONS tells of `/products`: methods, and the JSON schema of a product as far as the sandbox plays it."""
    properties = {name: {"type": _TYPES[type(value)]} for name, value in DEFAULTS.items()}
    return {
        "namespace": "wc/v3",
        "methods": ["GET", "POST"],
        "endpoints": [{"methods": ["GET"], "args": {}}, {"methods": ["POST"], "args": properties}],
        "schema": {
            "$schema": "http://json-schema.org/draft-04/schema#",
            "title": "product",
            "type": "object",
            "properties": {"id": {"type": "integer", "readonly": True}} | properties,
        },
    }


def system_status(store: Store) -> Document:
    """What the status page shows, as far as an app may need it."""
    return {
        "environment": {
            "home_url": store.home,
            "site_url": store.home,
            "version": VERSION,
            "wp_version": "7.0.1",
            "wp_multisite": False,
            "language": "en_US",
            "server_info": "nginx",
            "php_version": "8.3.14",
            "remote_post_successful": True,
            "remote_get_successful": True,
        },
        "settings": {"api_enabled": False, "force_ssl": True, "currency": "EUR", "currency_symbol": "&euro;"},
        "security": {"secure_connection": True, "hide_errors": True},
        "theme": {"name": "Twenty Twenty-Six", "has_woocommerce_support": True},
    }


def _routes(store: Store, prefix: str) -> Document:
    return {
        route: {
            "namespace": "wc/v3",
            "methods": methods,
            "endpoints": [{"methods": methods, "args": {}}],
            "_links": {"self": [{"href": f"{store.home}/wp-json{route}"}]},
        }
        for route, methods in _ROUTES.items()
        if route.startswith(prefix)
    }
