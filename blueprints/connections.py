"""Connecting, coming back, and all that is done to a connection from a page.

What happens to the connection itself lives in `patchbay.connections`; the page it is shown on in `catalog`.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, jsonify, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from blueprints import forms, guards, rendering
from blueprints.api import problems
from blueprints.catalog import detail
from blueprints.forms import Sent
from blueprints.rendering import formats
from blueprints.shown import integrations, outcomes
from blueprints.shown.cards import card_of
from patchbay import catalog, connections, providers, records, runs, settings
from patchbay.errors import N_, CredentialsRefused, Invalid, PatchbayError, PlatformError
from patchbay.models import Connection, Trigger
from patchbay.spec import Keys, Provider

bp = Blueprint("connections", __name__)
KEYS_REFUSED = N_("%(provider)s does not accept these keys. Copy both again, or make new ones.")


@bp.get("/integrations/<key>/connect")
@guards.public("integrations:write")
def connect(key: str) -> Response:
    """What will be asked for, and the form that leaves for the platform; with `allow`, only what an operation lacks."""
    provider = providers.get(key)
    if guards.caller_if_any() is None:
        return _to_login(key)
    connection = connections.find(guards.caller().user_id, key)
    values = connection.settings if connection else {}
    return _connect_form(provider, connection, values, {})


@bp.post("/integrations/<key>/connect", endpoint="begin")
@guards.public("integrations:write")
def leave(key: str) -> Response:
    """Begin, and show the page that takes the browser to the platform; or connect at once with pasted keys."""
    provider = providers.get(key)
    if guards.caller_if_any() is None:
        return _to_login(key)
    connection = connections.find(guards.caller().user_id, key)
    kept = connection.settings if connection else {}
    values = {field.name: request.form.get(field.name) or kept.get(field.name) for field in provider.fields}
    if isinstance(provider.auth, Keys) and (provider.auth.handover is None or "keys" in request.form):
        return _connect_with_keys(provider, provider.auth, connection, values)
    try:
        departure = connections.begin(guards.caller(), key, values, to_allow=forms.text("allow"))
    except Invalid as error:
        return _connect_form(provider, connection, values, error.fields, status=422)
    page = rendering.render("connections/leaving.html", integration=provider, address=departure.url)
    return rendering.leaves_no_trace(page)


@bp.get("/integrations/callback")
@guards.public("integrations:write")
def callback() -> Response:
    """The platform's redirect: finish, and send the browser to a clean address that shows how it went."""
    return _come_back()


@bp.get("/api/integrations/callback")
@guards.public("integrations:write")
def callback_api() -> Response:
    """The same at the address that scripts may have registered."""
    return _come_back()


@bp.get("/api/<platform>-oauth")
@guards.public("integrations:write")
def callback_platform(platform: str) -> Response:
    """The same at an address per platform."""
    providers.get(platform)
    return _come_back()


@bp.post("/integrations/<key>/replace")
@guards.scoped("integrations:write")
def replace_account(key: str) -> Response:
    """Decide about the other account that came back: `choice` is keep or replace."""
    choice = forms.text("choice")
    if choice not in {"keep", "replace"}:
        raise Invalid({"choice": N_("This is not one of the choices.")})
    connection = connections.replace_account(guards.user().id, key, keep=choice == "keep")
    name = providers.get(key).name
    rendering.toast(_("%(name)s is connected as %(account)s.", name=name, account=connection.account_label))
    return rendering.see_other(url_for("catalog.integration", key=key))


@bp.post("/integrations/<key>/cancel")
@guards.scoped("integrations:write")
def cancel(key: str) -> Response:
    """Call off a connect that waits for approval."""
    providers.get(key)
    connections.cancel(guards.user().id, key)
    return _card_or_page(key)


@bp.get("/integrations/<key>/settings", endpoint="to_settings")
@guards.public("integrations:read")
def to_settings(key: str) -> Response:
    """Where the settings form is: somebody asked for the address that it is posted to."""
    return rendering.see_other(url_for("catalog.integration", key=key, _anchor="settings"))


@bp.post("/integrations/<key>/settings", endpoint="settings")
@guards.scoped("integrations:write")
def change_settings(key: str) -> Response:
    """Store the settings form, give it back with what is wrong, or draw it anew where no button says "save"."""
    provider, sent = providers.get(key), forms.sent()
    values = forms.values_of(provider.settings, sent)
    if "do" not in sent:
        return _settings_form(key, values, {}, sent)
    was_lacking = bool(connections.missing_choices(connections.connected(guards.user().id, key)))
    try:
        kept = connections.change_settings(guards.user().id, key, values).settings
    except Invalid as error:
        return _settings_form(key, values, error.fields, sent, status=422)
    except PlatformError as error:
        picked = next(field.name for field in provider.settings if field.pick is not None)
        return _settings_form(key, values, {picked: rendering.sentence_of(error)}, sent, status=error.http_status)
    rendering.toast(_("Settings saved."))
    if was_lacking or not rendering.wants_fragment():
        return rendering.see_other(url_for("catalog.integration", key=key))
    return _settings_form(key, kept, {}, Sent())


@bp.get("/integrations/<key>/disconnect")
@guards.scoped("integrations:write")
def disconnect(key: str) -> Response:
    """What is deleted and what is kept, before it happens."""
    provider = providers.get(key)
    connection = connections.connected(guards.user().id, key)
    return rendering.page_or_fragment(
        "connections/disconnect.html",
        "connections/_disconnect.html",
        integration=provider,
        connection=connection,
        can_uninstall=provider.uninstall is not None,
        record_count=sum(records.counts(connection.id).values()),
        on_card=request.args.get("on") == "card",
    )


@bp.post("/integrations/<key>/disconnect", endpoint="end")
@guards.scoped("integrations:write")
def disconnect_now(key: str) -> Response:
    """Disconnect; the form's `uninstall` also removes our app there."""
    provider = providers.get(key)
    is_revoked = connections.disconnect(guards.user().id, key, uninstall="uninstall" in request.form)
    if is_revoked:
        rendering.toast(_("%(name)s is disconnected.", name=provider.name))
    else:
        rendering.toast(_("%(name)s is disconnected. Remove access in your %(name)s settings too.", name=provider.name))
    return rendering.trigger(_card_or_page(key), "modal:close")


@bp.get("/integrations/<key>/records/delete")
@guards.scoped("integrations:write")
def delete_records(key: str) -> Response:
    """How much would be deleted, and the field that confirms it."""
    return _deletion_form(providers.get(key), "", {})


@bp.post("/integrations/<key>/records/delete", endpoint="delete_now")
@guards.scoped("integrations:write")
def delete_records_now(key: str) -> Response:
    """Delete what was imported, once the name was typed."""
    provider = providers.get(key)
    typed = forms.text("confirmation")
    if typed.casefold() != provider.name.casefold():
        return _deletion_form(provider, typed, {"confirmation": N_("This is not the name.")}, status=422)
    count = connections.delete_records(guards.user().id, key)
    told = {"count": formats.number(count)}
    rendering.toast(ngettext("%(count)s record was deleted.", "%(count)s records were deleted.", count, **told))
    return rendering.see_other(url_for("catalog.integration", key=key))


@bp.post("/integrations/<key>/sync")
@guards.scoped("runs:write")
def sync(key: str) -> Response:
    """Start the import that the form names, or find the open one."""
    run = runs.start(guards.user().id, key, forms.text("operation"), {}, Trigger.PAGE)
    if rendering.wants_fragment():
        rendering.toast(_("The sync with %(name)s has begun.", name=providers.get(key).name), "info")
        return _card(key, status=202)
    return rendering.see_other(url_for("runs.show", run_id=run.id))


def _come_back() -> Response:
    returned = connections.come_back(request.args.to_dict(), guards.caller_if_any())
    key = returned.integration_id
    if problems.wants_json():
        return rendering.leaves_no_trace(_told(returned))
    endpoint = url_for("catalog.integration", key=key) if key else url_for("catalog.integrations")
    return rendering.leaves_no_trace(rendering.see_other(f"{endpoint}?outcome={returned.token}"))


def _told(returned: connections.Returned) -> Response:
    error = outcomes.problem(returned)
    if error is not None:
        return problems.answer(error)
    address = settings.current().public_url + url_for("catalog.integration", key=returned.integration_id)
    return jsonify({"success": True, "redirectUrl": address})


def _to_login(key: str) -> Response:
    return rendering.see_other(url_for("accounts.login", next=url_for("connections.connect", key=key)))


def _connect_with_keys(
    provider: Provider, auth: Keys, connection: Connection | None, values: dict[str, Any]
) -> Response:
    """Try the keys at the platform; nothing of them is shown again."""
    pasted = {field.name: request.form.get(field.name, "") for field in auth.fields}
    try:
        returned = connections.connect_with_keys(guards.caller(), provider.key, values, pasted)
    except Invalid as error:
        return _connect_form(provider, connection, values, error.fields, status=422)
    except CredentialsRefused as error:
        refused = rendering.said(KEYS_REFUSED, {"provider": provider.name})
        return _connect_form(provider, connection, values, {}, problem=refused, status=error.http_status)
    except PatchbayError as error:
        told = rendering.sentence_of(error)
        return _connect_form(provider, connection, values, {}, problem=told, status=error.http_status)
    return rendering.see_other(url_for("catalog.integration", key=provider.key, outcome=returned.token))


def _settings_form(
    key: str, values: Mapping[str, Any], errors: Mapping[str, str], sent: Sent, *, status: int = 200
) -> Response:
    context = {**detail(catalog.entry(guards.user().id, key), values, errors, sent), "outcome": None}
    return rendering.page_or_fragment("catalog/integration.html", "catalog/_settings.html", status=status, **context)


def _connect_form(
    provider: Provider,
    connection: Connection | None,
    values: dict[str, Any],
    errors: Mapping[str, str],
    *,
    problem: str = "",
    status: int = 200,
) -> Response:
    is_wrong = any(field.name in errors for field in provider.fields)
    allow = request.values.get("allow", "")
    added = integrations.to_allow(provider, connection, allow)
    fields = provider.fields if is_wrong else integrations.asked(provider, connection)
    return rendering.page_or_fragment(
        "connections/connect.html",
        "connections/_connect.html",
        status=status,
        integration=provider,
        asks=added or integrations.access(provider, None),
        allow=allow if added else "",
        fields=fields,
        keys=provider.auth if isinstance(provider.auth, Keys) else None,
        keys_page=integrations.keys_page(provider, values),
        problem=problem,
        values=values,
        errors=errors,
        connection=connection if not fields else None,
    )


def _deletion_form(provider: Provider, value: str, errors: dict[str, str], *, status: int = 200) -> Response:
    connection = connections.find(guards.user().id, provider.key)
    count = sum(records.counts(connection.id).values()) if connection else 0
    return rendering.page_or_fragment(
        "connections/delete_records.html",
        "connections/_delete_records.html",
        status=status,
        integration=provider,
        record_count=count,
        value=value,
        errors=errors,
    )


def _card_or_page(key: str) -> Response:
    if rendering.wants_fragment() and request.form.get("on") == "card":
        return _card(key)
    return rendering.see_other(url_for("catalog.integration", key=key))


def _card(key: str, *, status: int = 200) -> Response:
    card = card_of(catalog.entry(guards.user().id, key))
    return rendering.render("catalog/_card.html", status=status, card=card)
