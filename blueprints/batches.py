"""Several things in one go: the batches and what became of them, and the recipes that start one from a form.

What a batch is lives in `patchbay.batches`; sending one picture to one place is in `assets`.
"""

from collections.abc import Mapping

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _

from blueprints import forms, guards, rendering, several_places
from blueprints.forms import Sent
from blueprints.operation_forms import NO_ERRORS
from blueprints.several_places import SendForm
from blueprints.shown import drawing
from blueprints.shown.batches import BatchPage
from blueprints.shown.drawing import Drawn, Easel
from patchbay import batches, connections, providers
from patchbay.batches import recipes
from patchbay.batches.recipes import Recipe
from patchbay.errors import Invalid, PatchbayError, Refused
from patchbay.models import Connection, Trigger

bp = Blueprint("batches", __name__)
A_PAGE = 50


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


@bp.get("/mockups/<asset_id>/send")
@guards.scoped("assets:write", "runs:write")
def send(asset_id: str) -> Response:
    """Choose several places for a picture, and fill in what each of them asks."""
    return _send_form(several_places.form_of(guards.user().id, asset_id, forms.sent()), NO_ERRORS)


@bp.post("/mockups/<asset_id>/send", endpoint="send_now")
@guards.scoped("assets:write", "runs:write")
def send_now(asset_id: str) -> Response:
    """Start one batch for all places, make what a list lacks, or draw the form anew."""
    form = several_places.form_of(guards.user().id, asset_id, forms.sent())
    if "make" in form.sent:
        return _made(form)
    if "do" not in form.sent:
        return _send_form(form, NO_ERRORS)
    try:
        parts = form.parts()
    except Invalid as error:
        return _send_form(form, error.fields, status=422)
    title = _("%(name)s to several places", name=form.asset.name)
    batch = batches.start(guards.user().id, title, parts, Trigger.PAGE)
    return rendering.see_other(url_for("batches.show", batch_id=batch.id))


@bp.get("/recipes/<key>")
@guards.scoped("runs:write")
def recipe(key: str) -> Response:
    """A recipe's form, filled in as far as it can be."""
    return _recipe_form(recipes.recipe(key), forms.sent(), NO_ERRORS)


@bp.post("/recipes/<key>", endpoint="begin")
@guards.scoped("runs:write")
def begin(key: str) -> Response:
    """Start the recipe, or draw its form anew."""
    one, sent = recipes.recipe(key), forms.sent()
    mine = connections.of_user(guards.user().id)
    if "do" not in sent:
        return _recipe_form(one, sent, NO_ERRORS)
    values = forms.values_of([ask.field for ask in one.asks(mine)], sent)
    try:
        batch = recipes.begin(guards.user().id, key, values, one.title, Trigger.PAGE)
    except Invalid as error:
        return _recipe_form(one, sent, error.fields or {"form": error.sentence}, status=422)
    except Refused:
        raise
    except PatchbayError as error:
        return _recipe_form(one, sent, NO_ERRORS, problem=rendering.sentence_of(error), status=error.http_status)
    return rendering.see_other(url_for("batches.show", batch_id=batch.id))


def _made(form: SendForm) -> Response:
    sent, errors = several_places.make(form)
    address = several_places.filled_address(request.path, sent)
    if address and not errors and not rendering.wants_fragment():
        return rendering.see_other(address)
    again = several_places.form_of(form.asset.user_id, form.asset.id, sent)
    return _send_form(again, errors, status=422 if errors else 200)


def _send_form(form: SendForm, errors: Mapping[str, str], *, status: int = 200) -> Response:
    drawn = form.drawn(errors)
    return rendering.page_or_fragment(
        "batches/send.html",
        "batches/_send.html",
        status=status,
        asset=form.asset,
        places=form.places,
        chosen=form.chosen,
        drawn_places=drawn,
        asked=several_places.labels(drawn),
        errors=errors,
    )


def _recipe_form(
    one: Recipe, sent: Sent, errors: Mapping[str, str], *, problem: str = "", status: int = 200
) -> Response:
    mine = connections.of_user(guards.user().id)
    is_possible = recipes.is_possible(one, mine)
    return rendering.page_or_fragment(
        "batches/recipe.html",
        "batches/_recipe.html",
        status=status,
        recipe=one,
        is_possible=is_possible,
        lacking=_lacking(one, mine),
        fields=_drawn(one, mine, sent, errors) if is_possible else [],
        errors=errors,
        problem=problem,
    )


def _drawn(one: Recipe, mine: Mapping[str, Connection], sent: Sent, errors: Mapping[str, str]) -> list[Drawn]:
    """The recipe's fields. Its lists are of one connection; a recipe without any draws nothing of a platform's."""
    asks = one.asks(mine)
    listing = next((ask.integration for ask in asks if ask.integration), next(iter(mine)))
    fields = [ask.field for ask in asks]
    told = {field.name for field in fields if {field.name, f"{field.name}.typed"} & set(sent)}
    values = {name: value for name, value in forms.values_of(fields, sent).items() if name in told}
    return drawing.draw(Easel(guards.user().id, mine[listing], sent, errors), fields, values)


def _lacking(one: Recipe, mine: Mapping[str, Connection]) -> list[str]:
    """Names of the integrations of which one more must be connected."""
    wanted = [operation for operation in one.needs if not recipes.places(mine, operation)]
    return sorted({each.name for each in providers.all() for operation in wanted if each.operation(operation)})
