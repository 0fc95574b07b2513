"""Who may come in: the session, the API key, CSRF, roles and scopes. Every request passes `admit` first.

Whether a password or key is right is decided in `patchbay.accounts`.
"""

import functools
import time
from collections.abc import Callable
from contextlib import ExitStack
from typing import ParamSpec, TypeVar
from urllib.parse import urlsplit

import structlog
from flask import Flask, Response, g, request, session
from flask.typing import ResponseReturnValue
from werkzeug.exceptions import SecurityError

from blueprints import forms
from patchbay import accounts, assets, audit, settings, signing, tenancy
from patchbay.connections import Caller
from patchbay.errors import N_, Forbidden, Malformed, NotFound, Unauthenticated
from patchbay.models import ApiKey, User, new_id

log = structlog.get_logger()

P = ParamSpec("P")
R = TypeVar("R", bound=ResponseReturnValue)

CSRF_FIELD = "csrf_token"
SAFE_METHODS = {"GET", "HEAD", "OPTIONS"}
UNLOGGED_ENDPOINTS = {"static_files.send", "home.health_check", "metrics.show"}
OPEN_ENDPOINTS = {"static_files.send", "home.health_check", "metrics.show", "assets.file", "records.picture"}
UPLOAD_ENDPOINTS = {"assets.upload", "api_assets.upload_design"}
FORM_BYTES = 1024 * 1024
"""The room for a form around the file that it carries."""


def init_app(app: Flask) -> None:
    """Admit or refuse every request, and put the request's id on every answer and log line."""
    app.before_request(admit)
    app.after_request(_name_request)
    app.after_request(_log_request)
    app.teardown_request(_forget)


def admit() -> None:
    """Find out who asks, and refuse a forged or foreign request. Raises Unauthenticated, Forbidden.

    From here to the end of the answer nothing of any other user is seen; nothing at all, when nobody is signed in.
    """
    g.user = g.key = g.language = None
    g.scope = ExitStack()
    g.scope.enter_context(tenancy.nobody())
    g.begun_at, g.request_id = time.perf_counter(), new_id("req")
    structlog.contextvars.clear_contextvars()
    structlog.contextvars.bind_contextvars(request_id=g.request_id)
    audit.act_as(audit.Actor(address=address(), request_id=g.request_id))
    _check_host()
    if request.endpoint in OPEN_ENDPOINTS:
        return
    header = request.headers.get("Authorization", "")
    with tenancy.everyone():  # who asks is not known yet
        if header:
            _admit_key(header)
        else:
            _admit_session()
    if g.user is not None:
        g.scope.enter_context(tenancy.of(g.user.id))
    _make_room()
    _refuse_nul()
    if not header and _could_be_forged():
        _check_csrf()
    g.language = g.user.language if g.user else None


def user() -> User:
    """The signed-in user. Raises Unauthenticated."""
    found: User | None = g.get("user")
    if found is None:
        raise Unauthenticated()
    return found


def key() -> ApiKey | None:
    """The API key that the request came with; None for a session."""
    found: ApiKey | None = g.get("key")
    return found


def caller() -> Caller:
    """The user as `connections` wants to know them: with the session, where there is one."""
    return Caller(user().id, None if g.key is not None else session_hash())


def caller_if_any() -> Caller | None:
    """The same, None when nobody is signed in."""
    return None if g.get("user") is None else caller()


def session_hash() -> str:
    """What stands for this session in the database."""
    return signing.hash_token(str(session.get("sid", "")))


def address() -> str:
    """The client's address, proxies taken into account as TRUSTED_PROXIES says."""
    return request.remote_addr or "unknown"


def sign_in(found: User) -> None:
    """Begin a session for the user; what the session held before is gone, the CSRF token included."""
    session.clear()
    session["user"], session["epoch"], session["sid"] = found.id, found.epoch, signing.new_token()
    session.permanent = True


def sign_out() -> None:
    """End the session."""
    session.clear()


def signed_in(view: Callable[P, R]) -> Callable[P, R]:
    """For signed-in users, by session or by a key of any scope."""

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        user()
        return view(*args, **kwargs)

    return guarded


def admin_only(view: Callable[P, R]) -> Callable[P, R]:
    """For administrators, who see everybody's rows there; a key needs the scope `admin` as well."""

    @functools.wraps(view)
    def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
        if not user().is_admin:
            raise Forbidden(sentence=N_("This page is for administrators."))
        _require(("admin",))
        with tenancy.everyone():
            return view(*args, **kwargs)

    return guarded


def is_administering() -> bool:
    """Whether an administrator asks, with a key only if it has the scope `admin` as well."""
    return user().is_admin and (g.key is None or accounts.allows(g.key, g.user, "admin"))


def scoped(*scopes: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """For signed-in users; a key must have all of these scopes."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            user()
            _require(scopes)
            return view(*args, **kwargs)

        return guarded

    return decorate


def public(*scopes: str) -> Callable[[Callable[P, R]], Callable[P, R]]:
    """For anybody, signed in or not; a key must have all of these scopes."""

    def decorate(view: Callable[P, R]) -> Callable[P, R]:
        @functools.wraps(view)
        def guarded(*args: P.args, **kwargs: P.kwargs) -> R:
            _require(scopes)
            return view(*args, **kwargs)

        return guarded

    return decorate


def _require(scopes: tuple[str, ...]) -> None:
    if g.key is None:
        return
    for scope in scopes:
        if not accounts.allows(g.key, g.user, scope):
            raise Forbidden(sentence=N_("This key lacks the scope %(scope)s."), scope=scope)


def _make_room() -> None:
    """Let a known user send a large picture; before that is settled, no body is read."""
    if g.user is not None and request.endpoint in UPLOAD_ENDPOINTS:
        request.max_content_length = assets.MAX_UPLOAD_BYTES + FORM_BYTES


def _refuse_nul() -> None:
    """PostgreSQL takes no text with a NUL in it, and nobody types one; the API's own checks name the field."""
    if "\x00" in request.path:
        raise NotFound()
    if request.path.startswith("/api/"):
        return
    if b"%00" in request.query_string or any("\x00" in value for value in request.form.values()):
        raise Malformed(sentence=N_("A value holds a character that no text may hold."))


def _check_host() -> None:
    """Refuse a Host that is neither ours nor loopback: links and cookies must not be made for it."""
    host = urlsplit(f"//{request.host}").hostname or ""
    if host != settings.current().public_host and not settings.is_loopback(host):
        raise SecurityError(f"the host {host[:100]!r} is not served here")


def _admit_key(header: str) -> None:
    kind, _, text = header.partition(" ")
    if kind.lower() != "bearer" or not text.startswith("pb_"):
        raise Unauthenticated()
    g.user, g.key = accounts.authenticate_key(text.strip(), address())
    audit.act_as(audit.Actor(g.key.id, address(), g.request_id))


def _admit_session() -> None:
    user_id = session.get("user")
    if not isinstance(user_id, str):
        return
    found, open_alerts = accounts.by_id_with_alerts(user_id) or (None, 0)
    if found is None or not accounts.may_enter(found) or found.epoch != session.get("epoch"):
        session.clear()
        return
    g.user, g.open_alerts = found, open_alerts
    audit.act_as(audit.Actor(found.id, address(), g.request_id))


def _could_be_forged() -> bool:
    """Whether a browser could be made to send this in its user's name; without a session a call is refused anyway."""
    if request.method in SAFE_METHODS:
        return False
    return g.user is not None or not request.path.startswith(("/api/", "/v1/"))


def _check_csrf() -> None:
    """A synchroniser token, and the browser's own word on where the request comes from."""
    site = request.headers.get("Sec-Fetch-Site")
    origin = request.headers.get("Origin")
    if (site is not None and site != "same-origin") or (site is None and origin is not None and not _is_own(origin)):
        raise _forged()
    sent = request.headers.get("X-CSRF-Token") or forms.untouched(CSRF_FIELD)
    kept = session.get("csrf")
    if not isinstance(kept, str) or not signing.equal(sent, kept):
        raise _forged()


def _is_own(origin: str) -> bool:
    own, its = urlsplit(settings.current().public_url), urlsplit(origin)
    return (own.scheme, own.netloc) == (its.scheme, its.netloc)


def _forged() -> Forbidden:
    return Forbidden(sentence=N_("Your session has expired. Reload the page and try again."))


def _name_request(response: Response) -> Response:
    response.headers["X-Request-Id"] = g.get("request_id", "")
    return response


def _log_request(response: Response) -> Response:
    """One line a request: the rule and its ids, never the query or a token in the path."""
    if request.endpoint in UNLOGGED_ENDPOINTS:
        return response
    ids = {name: value for name, value in (request.view_args or {}).items() if name != "token"}
    log.info(
        "Request answered.",
        method=request.method,
        rule=str(request.url_rule or "unknown"),
        status=response.status_code,
        duration_ms=round((time.perf_counter() - g.get("begun_at", time.perf_counter())) * 1000, 1),
        **ids,
    )
    return response


def _forget(_: BaseException | None) -> None:
    structlog.contextvars.clear_contextvars()
    audit.act_as(None)
    g.pop("scope", ExitStack()).close()
