"""The inbox of alerts: what is open, put off and over; and how each user wants to hear of it.

What raises alerts lives in `patchbay.alerts` and with whoever notices; the words for pages are in `shown.alerts`.
"""

from collections.abc import Callable, Mapping
from dataclasses import replace
from typing import Literal

from flask import Blueprint, Response, g, request, url_for
from flask_babel import get_locale
from flask_babel import gettext as _
from limits import parse
from sqlalchemy.exc import SQLAlchemyError

from blueprints import forms, guards, rendering
from blueprints.shown.alerts import AlertPage, kinds_for_people, rows_of
from patchbay.accounts import brakes
from patchbay.alerts import delivery, inbox, letters, preferences
from patchbay.alerts.preferences import Preference
from patchbay.errors import N_, Conflict, Invalid
from patchbay.models import AlertChannel, AlertKind, new_id

bp = Blueprint("alerts", __name__, url_prefix="/alerts")
A_PAGE = 50
TESTS = parse("6 per minute")
STATUSES: Mapping[str, Literal["", "open", "snoozed", "resolved"]] = {
    "open": "open",
    "snoozed": "snoozed",
    "resolved": "resolved",
}


@bp.app_context_processor
def _counting() -> dict[str, Callable[[], int]]:
    return {"open_alerts": _open_alerts}


@bp.get("")
@guards.scoped("alerts:read")
def index() -> Response:
    """All alerts, the open ones first, narrowed by `status`."""
    status = STATUSES.get(forms.sought("status"), "")
    cursor = request.args.get("cursor")
    found, following = inbox.page(inbox.Query(guards.user().id, status), cursor=cursor, limit=A_PAGE)
    return rendering.page_or_fragment(
        "alerts/index.html",
        "alerts/_rows.html",
        alerts=rows_of(found),
        shown=status,
        more_address=forms.here(status=status, cursor=following) if following else None,
        is_more=cursor is not None,
    )


@bp.post("/read")
@guards.scoped("alerts:write")
def read_all() -> Response:
    """Everything that is open has been seen."""
    inbox.mark_all_read(guards.user().id)
    return rendering.see_other(url_for("alerts.index"))


@bp.get("/<alert_id>")
@guards.scoped("alerts:read")
def show(alert_id: str) -> Response:
    """One alert, with what was sent about it."""
    alert = inbox.get(guards.user().id, alert_id)
    return rendering.render("alerts/show.html", alert=AlertPage.of(alert), messages=inbox.messages(alert))


@bp.post("/<alert_id>/read")
@guards.scoped("alerts:write")
def read(alert_id: str) -> Response:
    """Its owner has seen it."""
    inbox.mark_read(guards.user().id, alert_id)
    return _back_to(alert_id)


@bp.post("/<alert_id>/snooze")
@guards.scoped("alerts:write")
def snooze(alert_id: str) -> Response:
    """Put it off for an hour, a day or a week."""
    inbox.snooze(guards.user().id, alert_id, forms.text("for"))
    rendering.toast(_("Put off. Nothing is sent until then."))
    return _back_to(alert_id)


@bp.post("/<alert_id>/wake")
@guards.scoped("alerts:write")
def wake(alert_id: str) -> Response:
    """Put it off no longer."""
    inbox.wake(guards.user().id, alert_id)
    return _back_to(alert_id)


@bp.get("/preferences", endpoint="preferences")
@guards.scoped("alerts:write")
def show_preferences() -> Response:
    """How the user hears of alerts."""
    return _preferences_page(preferences.of(guards.user().id))


@bp.post("/preferences", endpoint="save_preferences")
@guards.scoped("alerts:write")
def save_preferences() -> Response:
    """Keep them; the secret of a new address is shown this once."""
    wanted = _wanted()
    try:
        secret = preferences.save(guards.user().id, wanted)
    except Invalid as error:
        return _preferences_page(wanted, errors=error.fields, status=422)
    if secret is not None:
        return _with_secret(secret)
    rendering.toast(_("Saved."))
    return rendering.see_other(url_for("alerts.preferences"))


@bp.post("/preferences/secret")
@guards.scoped("alerts:write")
def renew_secret() -> Response:
    """A new secret in place of the old one, shown this once."""
    return _with_secret(preferences.renew_secret(guards.user().id))


@bp.post("/preferences/test")
@guards.scoped("alerts:write")
def send_test() -> Response:
    """Send a message now through one channel, and say what became of it."""
    user, wanted = guards.user(), preferences.of(guards.user().id)
    channel = AlertChannel.ADDRESS if forms.text("channel") == "address" else AlertChannel.EMAIL
    recipient = user.email if channel is AlertChannel.EMAIL else wanted.address
    if recipient is None:
        raise Conflict(sentence=N_("Enter an address first."))
    brakes.brake(TESTS, "alert-test", user.id)
    letter = letters.test_letter(new_id("ntc"), str(get_locale()), rendering.said)
    problem = delivery.send(channel, letter, recipient, preferences.secret_of(user.id))
    if problem is not None:
        return _preferences_page(wanted, problem=problem.sentence, status=502)
    rendering.toast(_("The message was sent."))
    return rendering.see_other(url_for("alerts.preferences"))


def _open_alerts() -> int:
    """How many want the reader's attention; a database that is away does not keep the page of its own error away."""
    if g.get("user") is None:
        return 0
    if "open_alerts" in g:
        return int(g.open_alerts)
    try:
        return inbox.count_open(g.user.id)
    except SQLAlchemyError:
        return 0


def _back_to(alert_id: str) -> Response:
    return rendering.see_other(url_for("alerts.show", alert_id=alert_id))


def _wanted() -> Preference:
    """What the form says; a box that is not ticked mutes its kind."""
    muted = {
        channel.value: [kind.value for kind in AlertKind if kind.value not in request.form.getlist(f"{channel}.kinds")]
        for channel in AlertChannel
    }
    minutes = forms.text("patience")
    return Preference(
        wants_email=bool(forms.text("wants_email")),
        address=forms.text("address", preferences.LONGEST_ADDRESS + 1) or None,
        muted=muted,
        patience_minutes=int(minutes) if minutes.isascii() and minutes.isdigit() and len(minutes) < 4 else -1,
    )


def _with_secret(secret: str) -> Response:
    wanted = preferences.of(guards.user().id)
    return rendering.never_stored(_preferences_page(wanted, secret=secret, status=201))


def _preferences_page(
    wanted: Preference,
    *,
    errors: Mapping[str, str] | None = None,
    secret: str = "",
    problem: str = "",
    status: int = 200,
) -> Response:
    return rendering.render(
        "alerts/preferences.html",
        status=status,
        wanted=replace(wanted, address=wanted.address or ""),
        kinds=kinds_for_people(),
        patience=preferences.PATIENCE_MINUTES,
        has_mail=preferences.has_mail(),
        saved_address=preferences.of(guards.user().id).address,
        errors=errors or {},
        secret=secret,
        problem=problem,
    )
