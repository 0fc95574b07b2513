"""Signing in and out, one-time links, the reader's own account, and their API keys.

Who is let in to which page is decided in `guards`; what a password or key is worth in `patchbay.accounts`.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from urllib.parse import urlsplit

from flask import Blueprint, Response, current_app, request, url_for
from flask_babel import gettext as _
from werkzeug.exceptions import HTTPException

from blueprints import forms, guards, rendering
from blueprints.api import problems
from patchbay import accounts, settings
from patchbay.errors import N_, Conflict, Invalid, NotFound, Unauthenticated
from patchbay.models import OneTimeLink

bp = Blueprint("accounts", __name__)
KEYS_A_PAGE = 50
NO_ERRORS: Mapping[str, str] = {}


@dataclass(frozen=True)
class Choice:
    """A scope that a key may have, and what it allows (a message id)."""

    name: str
    title: str


CHOICES = (
    Choice("*", N_("everything that you may do")),
    Choice("integrations:read", N_("look at integrations and connections")),
    Choice("integrations:write", N_("connect, change and disconnect")),
    Choice("runs:read", N_("look at runs")),
    Choice("runs:write", N_("start and cancel runs")),
    Choice("records:read", N_("read imported records")),
    Choice("assets:read", N_("look at designs and mockups")),
    Choice("assets:write", N_("upload designs, make mockups")),
    Choice("alerts:read", N_("see alerts")),
    Choice("alerts:write", N_("mark alerts as read, put them off, set how they are sent")),
    Choice("webhooks:read", N_("look at webhook endpoints")),
    Choice("webhooks:write", N_("add and change webhook endpoints")),
    Choice("events:write", N_("publish events")),
    Choice("admin", N_("administer this installation")),
)


@bp.get("/login")
def login() -> Response:
    """The form; whoever is signed in goes on at once."""
    if guards.caller_if_any() is not None:
        return rendering.see_other(_next(request.args.get("next", "")))
    return _login_form(forms.local(request.args.get("next", "")), "", "")


@bp.post("/login", endpoint="enter")
def sign_in() -> Response:
    """Check e-mail and password; on to `next`, a path of this site. Scripts may send the fields as JSON."""
    email, onward = forms.text("email"), forms.local(forms.text("next", 2000))
    try:
        user = accounts.sign_in(email, forms.untouched("password"), guards.address())
    except Unauthenticated as refused:
        if problems.wants_json():
            raise
        return _login_form(onward, email, refused.sentence, status=401)
    guards.sign_in(user)
    return rendering.see_other(_next(onward))


@bp.post("/login/demo")
def demo() -> Response:
    """Sign in as the demo user: with the sandbox on, from this machine."""
    if not _has_demo():
        raise NotFound("demo user")
    guards.sign_in(accounts.sign_in_demo())
    return rendering.see_other(_next(forms.text("next", 2000)))


@bp.post("/logout")
def logout() -> Response:
    """End the session."""
    guards.sign_out()
    return rendering.see_other(url_for("home.index"))


@bp.get("/invitation/<token>")
def invitation(token: str) -> Response:
    """What a one-time link is good for, and the form that uses it."""
    try:
        return _invitation_form(token, accounts.open_link(token), NO_ERRORS)
    except NotFound:
        return _invitation_form(token, None, NO_ERRORS, status=404)


@bp.post("/invitation/<token>", endpoint="accept")
def use_invitation(token: str) -> Response:
    """Set the password that the link is for, and sign in."""
    try:
        user = accounts.use_link(token, request.form.get("password", ""))
    except Invalid as error:
        return _invitation_form(token, accounts.open_link(token), error.fields, status=422)
    except NotFound:
        return _invitation_form(token, None, NO_ERRORS, status=404)
    except Conflict as error:
        return _invitation_form(token, accounts.open_link(token), {"password": error.sentence}, status=409)
    guards.sign_in(user)
    rendering.toast(_("Welcome. You are signed in."))
    return rendering.see_other(url_for("catalog.integrations"))


@bp.get("/account")
@guards.scoped("*")
def show() -> Response:
    """The reader's own account."""
    return rendering.render("accounts/account.html", errors=NO_ERRORS)


@bp.post("/account/password")
@guards.scoped("*")
def password() -> Response:
    """Change the own password; other sessions end, this one goes on."""
    user = guards.user()
    try:
        accounts.change_password(user, request.form.get("present", ""), request.form.get("password", ""))
    except Invalid as error:
        return rendering.render("accounts/account.html", status=422, errors=error.fields)
    guards.sign_in(user)
    rendering.toast(_("Your password was changed."))
    return rendering.see_other(url_for("accounts.show"))


@bp.post("/account/look")
@guards.scoped("*")
def theme() -> Response:
    """Remember theme and shortcuts in this browser, and the language with the user."""
    language = forms.text("language") or None
    _choose_language(language)
    rendering.toast(_("Saved."))
    response = rendering.see_other(url_for("accounts.show"))
    rendering.remember_look(response, theme=forms.text("theme"), shortcuts="shortcuts" in request.form)
    return rendering.remember_language(response, language)


@bp.post("/language")
@guards.public("*")
def language() -> Response:
    """Change the language from the foot of any page, and go back to it."""
    chosen = forms.text("language")
    _choose_language(chosen)
    return rendering.remember_language(rendering.see_other(_back()), chosen)


@bp.get("/keys")
@guards.scoped("*")
def keys() -> Response:
    """The reader's API keys, and the form for a new one."""
    return _keys_page("", {}, NO_ERRORS)


@bp.post("/keys")
@guards.scoped("*")
def create_key() -> Response:
    """Make a key and show it, this once."""
    name, scopes = forms.text("name"), request.form.getlist("scopes")
    try:
        made = accounts.create_key(guards.user(), name, scopes)
    except Invalid as error:
        return _keys_page("", {"name": name, "scopes": scopes}, error.fields, status=422)
    return rendering.never_stored(_keys_page(made.text, {}, NO_ERRORS, status=201))


@bp.post("/keys/<key_id>/revoke")
@guards.scoped("*")
def revoke_key(key_id: str) -> Response:
    """End a key for good."""
    accounts.revoke_key(guards.user().id, key_id)
    rendering.toast(_("The key was revoked."))
    return rendering.see_other(url_for("accounts.keys"))


def _login_form(onward: str, email: str, error: str, *, status: int = 200) -> Response:
    return rendering.render(
        "accounts/login.html", status=status, next=onward, email=email, error=error, has_demo=_has_demo()
    )


def _has_demo() -> bool:
    return settings.current().sandbox and settings.is_loopback(guards.address())


def _choose_language(chosen: str | None) -> None:
    """Go on in that language, and keep it with whoever is signed in. Raises Invalid."""
    if chosen is not None and chosen not in rendering.languages():
        raise Invalid({"language": N_("This is not one of the choices.")})
    if guards.caller_if_any() is not None:
        accounts.choose_language(guards.user(), chosen)
    rendering.speak(chosen)


def _back() -> str:
    """The page that the form was on, where it can be asked for again."""
    came_from = urlsplit(request.referrer or "")
    page = f"{came_from.path}?{came_from.query}".rstrip("?")
    if came_from.netloc == request.host and _is_page(came_from.path):
        return forms.local(page) or url_for("home.index")
    return url_for("home.index")


def _is_page(path: str) -> bool:
    try:
        current_app.url_map.bind(request.host).match(path, method="GET")
    except HTTPException:
        return False
    return True


def _next(address: str) -> str:
    return forms.local(address) or url_for("catalog.integrations")


def _invitation_form(token: str, link: OneTimeLink | None, errors: Mapping[str, str], *, status: int = 200) -> Response:
    page = rendering.render("accounts/invitation.html", status=status, token=token, link=link, errors=errors)
    return rendering.never_stored(page)


def _keys_page(new_key: str, values: Mapping[str, object], errors: Mapping[str, str], *, status: int = 200) -> Response:
    user = guards.user()
    rows, cursor = accounts.keys(user.id, cursor=request.args.get("cursor"), limit=KEYS_A_PAGE)
    return rendering.render(
        "accounts/keys.html",
        status=status,
        keys=rows,
        more_address=url_for("accounts.keys", cursor=cursor) if cursor else None,
        new_key=new_key,
        scopes=[choice for choice in CHOICES if choice.name != "admin" or user.is_admin],
        values=values,
        errors=errors,
    )
