"""What can be done with a connection: each operation's form, and the lists that a platform gives at once.

What an operation does lives with its provider; carrying it out is a run, whose page is in `runs`.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request, url_for

from blueprints import forms, guards, operation_forms, rendering
from blueprints.operation_forms import NO_ERRORS, OperationForm
from blueprints.shown import integrations, results
from patchbay import connections
from patchbay.errors import Invalid, PatchbayError
from patchbay.spec import Action, Field

bp = Blueprint("operations", __name__, url_prefix="/integrations")
PAGING = ("cursor", "limit")


@bp.get("/<key>/do/<name>")
@guards.scoped("runs:write")
def show(key: str, name: str) -> Response:
    """The operation's form, filled from the address; a listing with what the platform has right now."""
    form = operation_forms.form_of(key, name, forms.sent())
    return _listing(form) if form.only_looks else _form(form, NO_ERRORS)


@bp.post("/<key>/do/<name>", endpoint="start")
@guards.scoped("runs:write")
def start(key: str, name: str) -> Response:
    """Start the run, make what a list lacks, or draw the form anew."""
    form = operation_forms.form_of(key, name, forms.sent())
    if "make" in form.sent:
        return _made(form)
    if not form.wants_start:
        return _form(form, NO_ERRORS)
    try:
        return operation_forms.to_run(form.start())
    except Invalid as error:
        return _form(form, error.fields, status=422)


def _form(form: OperationForm, errors: Mapping[str, str], *, status: int = 200) -> Response:
    return rendering.page_or_fragment(
        "operations/form.html",
        "operations/_form.html",
        status=status,
        integration=form.provider,
        connection=form.connection,
        operation=form.operation,
        obstacle=form.obstacle,
        fields=form.drawn(errors) if form.obstacle is None else [],
        errors=errors,
    )


def _made(form: OperationForm) -> Response:
    sent, errors, run = operation_forms.make(form)
    if run is not None:
        return operation_forms.to_run(run)
    if not errors and not rendering.wants_fragment():
        here = url_for("operations.show", key=form.provider.key, name=form.operation.name)
        return rendering.see_other(operation_forms.filled_address(here, sent))
    again = operation_forms.form_of(form.provider.key, form.operation.name, sent)
    return _form(again, errors, status=422 if errors else 200)


def _listing(form: OperationForm) -> Response:
    cursor = request.args.get("cursor")
    values = {name: value for name, value in form.values().items() if value not in ("", None)}
    answer, errors, problem = _answer(form, values)
    entries = next((answer[name] for name in _gives(form) if isinstance(answer.get(name), list)), None)
    following = answer.get("nextCursor")
    context: dict[str, Any] = {
        "things": results.things(form.connection, entries or []),
        "more_address": forms.here(**{**_texts(values), "cursor": following}) if following else None,
        "is_more": cursor is not None,
    }
    if cursor and rendering.wants_fragment():
        return rendering.render("operations/_rows.html", **context)
    return rendering.page_or_fragment(
        "operations/listing.html",
        "operations/_listing.html",
        status=422 if errors else 200,
        integration=form.provider,
        connection=form.connection,
        operation=form.operation,
        obstacle=form.obstacle,
        fields=[one for one in form.drawn(errors) if one.name not in PAGING] if form.obstacle is None else [],
        errors=errors,
        problem=problem,
        known=integrations.known(form.provider, form.connection) if problem else [],
        was_asked=entries is not None,
        **context,
    )


def _answer(form: OperationForm, values: Mapping[str, Any]) -> tuple[Mapping[str, Any], Mapping[str, str], str]:
    """What the platform answers, what is wrong with the values, and a sentence when it refuses."""
    if form.obstacle is not None or any(_is_lacking(one, values) for one in form.fields):
        return {}, NO_ERRORS, ""
    try:
        return connections.ask(form.connection.user_id, form.provider.key, form.operation.name, values), NO_ERRORS, ""
    except Invalid as error:
        return {}, error.fields, ""
    except PatchbayError as error:
        return {}, NO_ERRORS, rendering.sentence_of(error)


def _gives(form: OperationForm) -> tuple[str, ...]:
    return form.operation.gives if isinstance(form.operation, Action) else ()


def _is_lacking(field: Field, values: Mapping[str, Any]) -> bool:
    return field.required and field.default is None and field.name not in values


def _texts(values: Mapping[str, Any]) -> dict[str, str]:
    return {name: value for name, value in values.items() if isinstance(value, str) and name not in PAGING}
