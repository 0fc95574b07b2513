"""What a call of the JSON API is given and how it answers: bodies and query strings, checked against declared fields.

Which fields a call takes is declared beside the call; what its answer looks like lives in `shapes`.
"""

from collections.abc import Mapping, Sequence
from typing import Any

import msgspec
from flask import Response, request
from werkzeug.datastructures import FileStorage

from blueprints import guards
from patchbay import providers
from patchbay.errors import N_, Forbidden, Invalid, Malformed, TooLarge, UnsupportedMedia
from patchbay.spec import Field, Kind, check

LARGEST_BYTES = 1024 * 1024
MOST_ON_A_PAGE = 500

INTEGRATION = Field("integrationId", N_("Integration"), max_length=64)
INTEGRATION_FILTER = Field(
    "integrationId",
    N_("Integration"),
    Kind.CHOICE,
    required=False,
    choices=tuple(provider.key for provider in providers.all()),
)
_USER = Field("userId", N_("User"), required=False, max_length=64)
_TYPES: Mapping[Kind, type] = {
    Kind.NUMBER: int,
    Kind.BOOLEAN: bool,
    Kind.MAPPING: dict,
    Kind.PICTURES: list,
    Kind.LIST: list,
}
_OF_NO_TYPE = object()
_IN_ANY_FORM = {"file", "userId", guards.CSRF_FIELD}


def read(*fields: Field) -> dict[str, Any]:
    """The values of the JSON object in the body. No body at all is an empty object, where nothing is needed.

    Raises UnsupportedMedia, TooLarge, Malformed, Invalid (naming every wrong or unknown field), and Forbidden for a
    `userId` that names another user.
    """
    may_be_empty = not any(field.required for field in fields)
    content = _content(may_be_empty=may_be_empty)
    values = _object(content) if content or not may_be_empty else {}
    values.pop(guards.CSRF_FIELD, None)
    known = (*fields, _USER)
    return _own(check(known, _as_typed(known, values)))


def any_object() -> dict[str, Any]:
    """A JSON object whose fields are another's: what a platform posts. Raises as `read` does for what is none."""
    return _object(_content(may_be_empty=False))


def query(*fields: Field) -> dict[str, Any]:
    """The values of the query string; parameters that the call does not know are ignored.

    Raises Invalid, and Forbidden for a `userId` that names another user.
    """
    known = (*fields, _USER)
    names = {field.name for field in known}
    return _own(check(known, {name: text for name, text in request.args.items() if name in names}))


def upload() -> FileStorage:
    """The one file of a multipart form, in its field `file`. Raises UnsupportedMedia, Invalid, Forbidden."""
    if request.mimetype != "multipart/form-data":
        raise UnsupportedMedia(wanted="multipart/form-data")
    unknown = {name for name in (*request.form, *request.files) if name not in _IN_ANY_FORM}
    problems = dict.fromkeys(sorted(unknown), N_("This field is not known here."))
    files = request.files.getlist("file")
    if len(files) != 1:
        problems["file"] = N_("Send one file.")
    if problems:
        raise Invalid(problems)
    _own(check((_USER,), {"userId": request.form.get("userId")}))
    return files[0]


def paging(prefix: str) -> tuple[Field, Field]:
    """The fields `cursor` and `limit` of a list whose ids begin with `prefix`."""
    cursor = Field(
        "cursor",
        N_("Cursor"),
        required=False,
        pattern=rf"{prefix}_[0-9a-z]{{26}}",
        mismatch=N_("This is not a cursor of this list."),
    )
    limit = Field("limit", N_("How many"), Kind.NUMBER, required=False, default=50, lowest=1, highest=MOST_ON_A_PAGE)
    return cursor, limit


def answered(body: Mapping[str, object], status: int = 200) -> Response:
    """A JSON answer about one user's affairs, which no cache keeps."""
    response = Response(msgspec.json.encode(body), status=status, mimetype="application/json")
    response.headers["Cache-Control"] = "no-store"
    return response


def page_of(rows: Sequence[Mapping[str, object]], next_cursor: str | None) -> Response:
    """A page of a list; `nextCursor` is null on the last one."""
    return answered({"data": rows, "nextCursor": next_cursor})


def _content(*, may_be_empty: bool) -> bytes:
    if not request.content_length and may_be_empty and not request.is_json:
        return b""
    if not request.is_json:
        raise UnsupportedMedia(wanted="application/json")
    request.max_content_length = LARGEST_BYTES + 1  # where a body of unknown length is cut, without a word
    if (request.content_length or 0) > LARGEST_BYTES:
        raise TooLarge(limit="1 MB")
    content = request.get_data(cache=False)
    if len(content) > LARGEST_BYTES:
        raise TooLarge(limit="1 MB")
    return content


def _object(content: bytes) -> dict[str, Any]:
    try:
        value = msgspec.json.decode(content)
    except (msgspec.DecodeError, UnicodeDecodeError, RecursionError):
        raise Malformed() from None
    if not isinstance(value, dict):
        raise Invalid(sentence=N_("The body must be a JSON object."))
    return value


def _as_typed(fields: Sequence[Field], values: Mapping[str, Any]) -> dict[str, Any]:
    """Forms can only send text, calls send what they mean: a value of another type becomes what no check lets pass."""
    types = {field.name: _TYPES.get(field.kind, str) for field in fields}
    return {
        name: value if value is None or isinstance(value, types.get(name, object)) else _OF_NO_TYPE
        for name, value in values.items()
    }


def _own(values: dict[str, Any]) -> dict[str, Any]:
    user_id = values.pop("userId")
    if user_id is not None and user_id != guards.user().id:
        raise Forbidden(sentence=N_("Calls act for the user who makes them. Leave userId out, or send your own."))
    return values
