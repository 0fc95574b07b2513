"""One call of the API as it came in: whose token, which function, which argument, and what its paths are relative to.

Sources: stone_cfg.stone (styles and scopes of routes), the HTTP documentation's "Formats" and the team files guide on
Dropbox-API-Path-Root (read 2026-11-21). What a function does is in `files`, `listing`, `searching` and `uploads`.
"""

import re
from dataclasses import dataclass
from typing import Literal, TypeVar

import msgspec
from werkzeug.wrappers import Request

from sandbox.grants import Grant, Grants
from sandbox.hosts.dropbox.paths import names_of
from sandbox.hosts.dropbox.people import Person, Root
from sandbox.hosts.dropbox.refusals import Problem, bad_request, foreign_root, stale_root, unauthorized
from sandbox.hosts.dropbox.tree import Names, Tree
from sandbox.store import Document

Style = Literal["rpc", "upload", "download"]
T = TypeVar("T")

_TOKEN = re.compile(r"[\w.-]{20,}")
_JSON_TYPES = frozenset(
    {"application/json", "application/json; charset=utf-8", "text/plain; charset=dropbox-cors-hack"}
)
_BYTE_TYPES = frozenset({"application/octet-stream", "text/plain; charset=dropbox-cors-hack"})
_NAMESPACE = re.compile(r"ns:(?P<id>[0-9]+)(?P<rest>/.*)?", re.DOTALL)
_BY_ID = re.compile(r"(?P<id>id:[^/]+)(?P<rest>/.*)?", re.DOTALL)


@dataclass(frozen=True, slots=True)
class Call:
    """Who calls, with what; `place` is how an error names where the argument stood."""

    person: Person
    client_id: str
    root: Root
    argument: Document | None
    place: str
    body: bytes

    def read(self, shape: type[T]) -> T:
        """The argument in its declared shape; raises the 400 that names what is wrong with it."""
        try:
            return msgspec.convert(self.argument, shape)
        except msgspec.ValidationError as error:
            raise bad_request(f"{self.place}: {error}") from error

    def locate(self, path: str, tree: Tree) -> tuple[str, Names]:
        """Tree and names of a path in any of its forms; raises Problem."""
        if match := _NAMESPACE.fullmatch(path):
            root = self.person.namespaces.get(match["id"])
            if root is None:
                raise Problem("not_found")
            return root.tree, root.base + names_of(match["rest"] or "")
        if match := _BY_ID.fullmatch(path):
            return self._below(tree.by_id(match["id"]), names_of(match["rest"] or ""), tree)
        if path.startswith("rev:"):  # earlier revisions are not kept here
            raise Problem("not_found")
        if path == "/":
            raise bad_request(f'{self.place}: path: Specify the root folder as an empty string rather than as "/".')
        return self.root.tree, self.root.base + names_of(path)

    def shown(self, names: Names) -> Names | None:
        """The names as this caller sees them; None for what lies outside of the caller's root."""
        depth = len(self.root.base)
        return names[depth:] if names[:depth] == self.root.base else None

    def _below(self, entry: Document | None, rest: Names, tree: Tree) -> tuple[str, Names]:
        if entry is None or entry["tree"] != self.root.tree:
            raise Problem("not_found")
        return entry["tree"], tree.names_of(entry) + rest


def read_call(request: Request, grants: Grants, style: Style, scope: str | None) -> Call:
    """The call; raises DropboxRefused in the order in which Dropbox looks: form, token, scope, root."""
    token = bearer_token(request)
    body_type = request.headers.get("Content-Type", "").lower()
    argument, place, body = _argument(request, style, body_type)
    grant = _live_grant(grants, token)
    if scope is not None and scope not in grant.scopes:
        raise unauthorized("missing_scope", required_scope=scope)
    who = Person(grant.account)
    return Call(who, grant.client_id, _root(request, who), argument, place, body)


def bearer_token(request: Request) -> str:
    """The token of the Authorization header; raises the 400 for none or a misshapen one."""
    header = request.headers.get("Authorization")
    if header is None:
        raise bad_request('Must provide HTTP header "Authorization" or URL parameter "authorization".')
    scheme, _, token = header.partition(" ")
    if scheme.lower() != "bearer" or not token.strip():
        raise bad_request(
            f'Invalid authorization value in HTTP header "Authorization": "{scheme}".  '
            'Expecting "Bearer <oauth2-access-token>".'
        )
    if not _TOKEN.fullmatch(token.strip()):
        raise bad_request("The given OAuth 2 access token is malformed.")
    return token.strip()


def _live_grant(grants: Grants, text: str) -> Grant:
    token = grants.find(text)
    if token is None or token.kind != "access" or token.revoked or grants.grant_of(token).revoked:
        raise unauthorized("invalid_access_token")
    if token.is_expired:
        raise unauthorized("expired_access_token")
    return grants.grant_of(token)


def _argument(request: Request, style: Style, body_type: str) -> tuple[Document | None, str, bytes]:
    """Argument, the name of its place, and the bytes that came with it."""
    if style == "rpc":
        return _body_argument(request, body_type), "request body", b""
    text = request.headers.get("Dropbox-API-Arg") or request.args.get("arg")
    place = 'HTTP header "Dropbox-API-Arg"'
    if text is None:
        raise bad_request('Must provide HTTP header "Dropbox-API-Arg" or URL parameter "arg".')
    if style == "upload" and body_type not in _BYTE_TYPES:
        raise _wrong_type(body_type, _BYTE_TYPES)
    if style == "download" and body_type and body_type not in _BYTE_TYPES | _JSON_TYPES:
        raise _wrong_type(body_type, _BYTE_TYPES)
    return _decoded(text.encode("latin-1", "replace"), place), place, request.data if style == "upload" else b""


def _body_argument(request: Request, body_type: str) -> Document | None:
    if not request.data and not body_type:  # a function without an argument
        return None
    if body_type not in _JSON_TYPES:
        raise _wrong_type(body_type, _JSON_TYPES)
    return _decoded(request.data, "request body")


def _decoded(text: bytes, place: str) -> Document | None:
    try:
        if place != "request body":
            text.decode("ascii")  # the header must be escaped
        value = msgspec.json.decode(text)
    except (msgspec.DecodeError, UnicodeDecodeError) as error:
        raise bad_request(f"{place}: could not decode input as JSON") from error
    if value is not None and not isinstance(value, dict):
        raise bad_request(f"{place}: expected object, got {type(value).__name__}")
    return value


def _wrong_type(body_type: str, allowed: frozenset[str]) -> Exception:
    expected = ", ".join(f'"{each}"' for each in sorted(allowed))
    return bad_request(f'Bad HTTP "Content-Type" header: "{body_type}".  Expecting one of {expected}.')


def _root(request: Request, who: Person) -> Root:
    """What paths are relative to, by the header Dropbox-API-Path-Root."""
    text = request.headers.get("Dropbox-API-Path-Root")
    if text is None:
        return who.home
    try:
        wanted = msgspec.json.decode(text)
        tag = wanted[".tag"]
        named = "" if tag == "home" else str(wanted[tag])
    except (msgspec.DecodeError, TypeError, KeyError) as error:
        raise bad_request("Dropbox-API-Path-Root: could not decode input as JSON") from error
    match tag:
        case "home":
            return who.home
        case "root":
            if named != who.root_namespace:
                raise stale_root(who)
            return who.namespaces[named]
        case "namespace_id":
            if named not in who.namespaces:
                raise foreign_root()
            return who.namespaces[named]
    raise bad_request(f"Dropbox-API-Path-Root: unknown tag '{tag}'")
