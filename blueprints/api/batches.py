"""Batches and recipes: several operations in one go, each with a result of its own.

A single operation is asked for in `syncs`.
"""

from typing import Any

from flask import Blueprint, Response

from blueprints import guards
from blueprints.api import bodies, shapes
from patchbay import batches, connections
from patchbay.batches import Part, recipes
from patchbay.errors import N_, Invalid
from patchbay.models import Trigger
from patchbay.spec import Field, Kind, check

bp = Blueprint("api_batches", __name__, url_prefix="/api")

TITLE = Field("title", N_("Title"), required=False, max_length=200)
PARTS = Field("parts", N_("Parts"), Kind.LIST)
INPUT = Field("data", N_("Data"), Kind.MAPPING, required=False)
OF_A_PART = (
    bodies.INTEGRATION,
    Field("operation", N_("Operation"), max_length=64),
    INPUT,
    Field("label", N_("Label"), required=False, max_length=255),
)
PAGING = bodies.paging("bat")


@bp.get("/batches")
@guards.scoped("runs:read")
def list_batches() -> Response:
    """The user's batches, newest first, without their parts."""
    given = bodies.query(*PAGING)
    found, next_cursor = batches.page(guards.user().id, cursor=given["cursor"], limit=given["limit"])
    return bodies.page_of([shapes.batch(one, with_parts=False) for one in found], next_cursor)


@bp.post("/batches")
@guards.scoped("runs:write")
def start_batch() -> Response:
    """Start all parts; what cannot be started is a part that has failed."""
    given = bodies.read(TITLE, PARTS)
    parts = [_part(number, one) for number, one in enumerate(given["parts"])]
    batch = batches.start(guards.user().id, given["title"] or "", parts, Trigger.API)
    return bodies.answered(shapes.batch(batch, with_parts=True), 202)


@bp.get("/batches/<batch_id>")
@guards.scoped("runs:read")
def show_batch(batch_id: str) -> Response:
    """One batch, with what became of each part."""
    return bodies.answered(shapes.batch(batches.get(guards.user().id, batch_id), with_parts=True))


@bp.post("/batches/<batch_id>/cancel")
@guards.scoped("runs:write")
def cancel_batch(batch_id: str) -> Response:
    """Cancel what is still open; what has been done stays done."""
    bodies.read()
    return bodies.answered(shapes.batch(batches.cancel(guards.user().id, batch_id), with_parts=True))


@bp.get("/recipes")
@guards.scoped("integrations:read")
def list_recipes() -> Response:
    """The jobs that can be filled in, and what each of them asks of this user."""
    mine = connections.of_user(guards.user().id)
    return bodies.page_of([shapes.recipe(one, mine) for one in recipes.ALL], None)


@bp.post("/recipes/<key>")
@guards.scoped("runs:write")
def start_recipe(key: str) -> Response:
    """Start a recipe as a batch."""
    given = bodies.read(INPUT)
    batch = recipes.begin(guards.user().id, key, given["data"] or {}, recipes.recipe(key).title, Trigger.API)
    return bodies.answered(shapes.batch(batch, with_parts=True), 202)


def _part(number: int, given: Any) -> Part:
    if not isinstance(given, dict):
        raise Invalid({f"parts.{number}": N_("This must be an object.")})
    try:
        clean = check(OF_A_PART, given)
    except Invalid as error:
        raise Invalid({f"parts.{number}.{name}": sentence for name, sentence in error.fields.items()}) from None
    return Part(clean["integrationId"], clean["operation"], clean["data"] or {}, clean["label"] or "")
