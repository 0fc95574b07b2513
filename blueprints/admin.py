"""What administrators do: people and their links, and our app's credentials at each platform."""

from collections.abc import Mapping
from dataclasses import dataclass
from datetime import datetime

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _

from blueprints import forms, guards, rendering
from patchbay import accounts, credentials, providers, rehearsal, settings
from patchbay.credentials import AppCredentials
from patchbay.errors import N_, Conflict, Invalid, NotFound, PatchbayError
from patchbay.models import LinkKind, Role
from patchbay.rehearsal import Verdict
from patchbay.spec import OAuth2, Provider

bp = Blueprint("admin", __name__, url_prefix="/admin")
USERS_A_PAGE = 50
NO_ERRORS: Mapping[str, str] = {}


@dataclass(frozen=True)
class NewLink:
    """A one-time link at the one moment when its address is known."""

    kind: LinkKind
    email: str
    address: str
    expires_at: datetime


@dataclass(frozen=True)
class Entered:
    """Our app at a platform, without its secret."""

    client_id: str
    secret_tail: str
    is_from_environment: bool
    redirect_uri: str


@bp.get("/users")
@guards.admin_only
def users() -> Response:
    """Who may sign in."""
    return _users_page(None, {}, NO_ERRORS)


@bp.post("/users/invite")
@guards.admin_only
def invite() -> Response:
    """Make an invitation and show its link, this once."""
    values = {"email": forms.text("email"), "role": forms.text("role")}
    if values["role"] not in set(Role):
        return _users_page(None, values, {"role": N_("This is not one of the choices.")}, status=422)
    try:
        token = accounts.invite(guards.user(), values["email"], Role(values["role"]))
    except Invalid as error:
        return _users_page(None, values, error.fields, status=422)
    except Conflict as error:
        return _users_page(None, values, {"email": error.sentence}, status=409)
    return _link_page(token)


@bp.post("/users/<user_id>/reset")
@guards.admin_only
def reset_password(user_id: str) -> Response:
    """Make a link by which the user sets a new password, and show it, this once."""
    return _link_page(accounts.offer_reset(guards.user(), user_id))


@bp.post("/users/<user_id>/active")
@guards.admin_only
def set_active(user_id: str) -> Response:
    """Let a user in, or lock them out."""
    active = forms.text("active")
    if active not in {"on", "off"}:
        raise Invalid({"active": N_("This must be yes or no.")})
    user = accounts.set_active(guards.user(), user_id, active=active == "on")
    done = _("%(email)s may sign in again.") if user.is_active else _("%(email)s is signed out and locked out.")
    rendering.toast(done % {"email": user.email})
    return rendering.see_other(url_for("admin.users"))


@bp.get("/credentials/<key>", endpoint="credentials")
@guards.admin_only
def show_credentials(key: str) -> Response:
    """How to set the platform up, and our app there; the secret is never shown."""
    return _credentials_page(_with_setup(key), None, NO_ERRORS)


@bp.post("/credentials/<key>/test", endpoint="test_credentials")
@guards.admin_only
def test_credentials(key: str) -> Response:
    """Ask the platform whether the app is set up right, and say on the page what it told."""
    provider = _with_oauth(key)
    asked = rehearsal.fields(provider)
    try:
        verdict = rehearsal.rehearse(provider, forms.values_of(asked))
    except Invalid as error:
        return _credentials_page(provider, None, error.fields, status=422)
    except PatchbayError as error:
        return _credentials_page(provider, None, NO_ERRORS, status=error.http_status, problem=error)
    return _credentials_page(provider, None, NO_ERRORS, verdict=verdict)


@bp.post("/credentials/<key>", endpoint="set_credentials")
@guards.admin_only
def store_credentials(key: str) -> Response:
    """Keep client id and secret; an empty secret keeps the present one."""
    provider = _with_oauth(key)
    present = credentials.find(provider)
    if present is not None and present.origin == "environment":
        raise Conflict(sentence=N_("These credentials are set by the environment, which wins."))
    client_id, secret = forms.text("client_id", 255), forms.text("client_secret", 1000)
    keeps = present is not None and present.origin == "admin" and bool(present.client_secret)
    given = {"client_id": bool(client_id), "client_secret": bool(secret) or keeps}
    errors = {name: N_("This field is needed.") for name, is_given in given.items() if not is_given}
    if errors:
        return _credentials_page(provider, client_id, errors, status=422)
    credentials.enter(key, client_id, secret or None, None)
    rendering.toast(_("Saved. %(name)s can be connected now.", name=provider.name))
    return rendering.see_other(url_for("admin.credentials", key=key))


@bp.post("/credentials/<key>/clear")
@guards.admin_only
def clear_credentials(key: str) -> Response:
    """Forget what was entered here."""
    provider = _with_oauth(key)
    credentials.forget(key)
    rendering.toast(_("What was entered for %(name)s is deleted.", name=provider.name))
    return rendering.see_other(url_for("admin.credentials", key=key))


def _with_oauth(key: str) -> Provider:
    provider = providers.get(key)
    if not isinstance(provider.auth, OAuth2):
        raise NotFound(key)
    return provider


def _with_setup(key: str) -> Provider:
    provider = providers.get(key)
    if provider.auth is None:
        raise NotFound(key)
    return provider


def _credentials_page(
    provider: Provider,
    typed: str | None,
    errors: Mapping[str, str],
    *,
    status: int = 200,
    verdict: Verdict | None = None,
    problem: PatchbayError | None = None,
) -> Response:
    entered = _entered(credentials.find(provider), typed)
    name = provider.credentials_name
    page = rendering.render(
        "admin/credentials.html",
        status=status,
        integration=provider,
        credentials=entered,
        needs_app=isinstance(provider.auth, OAuth2),
        scopes=provider.auth.scopes if provider.auth else (),
        variables=[f"{name}_CLIENT_ID", f"{name}_CLIENT_SECRET", f"{name}_REDIRECT_URI"],
        fetches_pictures=any(action.needs_public_address for action in provider.actions),
        is_public=settings.current().is_public,
        asked=rehearsal.fields(provider),
        typed=request.form,
        errors=errors,
        verdict=verdict,
        problem=problem,
    )
    return rendering.never_stored(page)


def _entered(app: AppCredentials | None, typed: str | None) -> Entered:
    """What may be shown; the sandbox's own credentials are nobody's entry."""
    if app is None or app.origin == "sandbox":
        return Entered(typed or "", "", is_from_environment=False, redirect_uri=settings.current().callback_url)
    tail = app.client_secret[-4:] if len(app.client_secret) >= 12 else "•"
    client_id = app.client_id if typed is None else typed
    return Entered(client_id, tail, app.origin == "environment", app.redirect_uri)


def _link_page(token: str) -> Response:
    link = accounts.open_link(token)
    address = settings.current().public_url + url_for("accounts.invitation", token=token)
    new_link = NewLink(link.kind, link.email, address, link.expires_at)
    return rendering.never_stored(_users_page(new_link, {}, NO_ERRORS, status=201))


def _users_page(
    new_link: NewLink | None, values: Mapping[str, str], errors: Mapping[str, str], *, status: int = 200
) -> Response:
    rows, cursor = accounts.users(cursor=request.args.get("cursor"), limit=USERS_A_PAGE)
    return rendering.render(
        "admin/users.html",
        status=status,
        users=rows,
        more_address=url_for("admin.users", cursor=cursor) if cursor else None,
        new_link=new_link,
        values=values,
        errors=errors,
    )
