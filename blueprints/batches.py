"""Several things in one go: the batches and what became of them, and the recipes that start one from a form.

What a batch is lives in `patchbay.batches`; sending one picture to one place is in `assets`.
"""

import dataclasses
from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request, url_for

from blueprints import forms, guards, rendering
from blueprints.shown.batches import BatchPage
from patchbay import batches, connections, providers
from patchbay.batches import recipes
from patchbay.batches.recipes import Question, Recipe
from patchbay.errors import Invalid, PatchbayError
from patchbay.models import Connection, Trigger
from patchbay.spec import Field, Kind

bp = Blueprint("batches", __name__)
A_PAGE = 50
NO_ERRORS: Mapping[str, str] = {}


@bp.get("/batches")
@guards.scoped("runs:read")
def index() -> Response:
    """All batches, newest first, and the recipes that start one."""
    cursor = request.args.get("cursor")
    found, following = batches.page(guards.user().id, cursor=cursor, limit=A_PAGE)
    mine = connections.of_user(guards.user().id)
    return rendering.page_or_fragment(
        "batches/index.html",
        "batches/_rows.html",
        batches=[BatchPage(batch) for batch in found],
        recipes=[(one, recipes.is_possible(one, mine), _lacking(one, mine)) for one in recipes.ALL],
        more_address=forms.here(cursor=following) if following else None,
        is_more=cursor is not None,
    )


@bp.get("/batches/<batch_id>")
@guards.scoped("runs:read")
def show(batch_id: str) -> Response:
    """One batch; the part that polls gets 204 while version `v` is the newest."""
    page = BatchPage(batches.get(guards.user().id, batch_id))
    if rendering.wants_fragment() and request.args.get("v") == page.version:
        return rendering.unchanged()
    return rendering.page_or_fragment("batches/show.html", "batches/_status.html", batch=page)


@bp.post("/batches/<batch_id>/cancel")
@guards.scoped("runs:write")
def cancel(batch_id: str) -> Response:
    """Stop what is still open."""
    batch = batches.cancel(guards.user().id, batch_id)
    if rendering.wants_fragment():
        return rendering.render("batches/_status.html", batch=BatchPage(batch))
    return rendering.see_other(url_for("batches.show", batch_id=batch.id))


@bp.get("/recipes/<key>")
@guards.scoped("runs:write")
def recipe(key: str) -> Response:
    """A recipe's form, filled in as far as it can be."""
    return _recipe_form(recipes.recipe(key), {}, NO_ERRORS)


@bp.post("/recipes/<key>", endpoint="begin")
@guards.scoped("runs:write")
def begin(key: str) -> Response:
    """Start the recipe."""
    one = recipes.recipe(key)
    mine = connections.of_user(guards.user().id)
    values = forms.values_of([ask.field for ask in one.asks(mine)])
    try:
        batch = recipes.begin(guards.user().id, key, values, rendering.said(one.title), Trigger.PAGE)
    except Invalid as error:
        return _recipe_form(one, values, error.fields or {"form": error.sentence}, status=422)
    return rendering.see_other(url_for("batches.show", batch_id=batch.id))


def _recipe_form(one: Recipe, values: Mapping[str, Any], errors: Mapping[str, str], *, status: int = 200) -> Response:
    mine = connections.of_user(guards.user().id)
    is_possible = recipes.is_possible(one, mine)
    fields, problem = _drawn(one.asks(mine), mine) if is_possible else ([], "")
    filled = {field.name: values.get(field.name) or field.default for field in fields}
    return rendering.render(
        "batches/recipe.html",
        status=status,
        recipe=one,
        is_possible=is_possible,
        lacking=_lacking(one, mine),
        fields=fields,
        values=filled,
        errors=errors,
        problem=problem,
    )


def _drawn(asks: tuple[Question, ...], mine: Mapping[str, Connection]) -> tuple[list[Field], str]:
    """The fields with what can be picked right now as their choices, and a sentence where that cannot be asked."""
    fields, problem = [], ""
    for ask in asks:
        field = ask.field
        if field.pick is not None:
            try:
                offered = connections.offer(mine[ask.integration], field.pick)
            except PatchbayError as error:
                fields.append(field)
                problem = rendering.sentence_of(error)
                continue
            field = dataclasses.replace(
                field,
                kind=Kind.CHOICE,
                choices=tuple(option.value for option in offered.options),
                words=tuple(option.label for option in offered.options),
            )
        fields.append(field)
    return fields, problem


def _lacking(one: Recipe, mine: Mapping[str, Connection]) -> list[str]:
    """Names of the integrations of which one more must be connected."""
    wanted = [operation for operation in one.needs if not recipes.places(mine, operation)]
    return sorted({each.name for each in providers.all() for operation in wanted if each.operation(operation)})
