"""JSON answers of the sandbox's own calls.

Platforms have their own shapes and do not use these.
"""

import msgspec
from werkzeug.wrappers import Response


def as_json(value: object, status: int = 200) -> Response:
    """Any JSON value as an answer."""
    return Response(msgspec.json.encode(value), status, mimetype="application/json")


def refused(text: str, status: int = 422) -> Response:
    """The one error shape of the sandbox's own calls."""
    return as_json({"error": text}, status)
