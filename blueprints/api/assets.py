"""Assets: uploading designs, listing pictures and templates, making mockups.

The pictures themselves are sent by the pages' `assets`, to whoever has a signed link.
"""

from flask import Blueprint, Response

from blueprints import guards
from blueprints.api import bodies, shapes
from patchbay import assets
from patchbay.errors import N_
from patchbay.models import AssetKind
from patchbay.spec import Field, Kind

bp = Blueprint("api_assets", __name__, url_prefix="/api")

KIND = Field("kind", N_("Kind"), Kind.CHOICE, required=False, choices=tuple(AssetKind))
DESIGN = Field("designId", N_("Design"), max_length=64)
TEMPLATE = Field("templateId", N_("Template"), max_length=64)
PAGING = bodies.paging("ast")


@bp.post("/assets")
@guards.scoped("assets:write")
def upload_design() -> Response:
    """Keep an uploaded picture as a design."""
    file = bodies.upload()
    design = assets.upload_file(guards.user().id, file.stream, file.filename or "")
    return bodies.answered(shapes.asset(design), 201)


@bp.get("/assets")
@guards.scoped("assets:read")
def list_assets() -> Response:
    """The user's assets, newest first."""
    given = bodies.query(KIND, *PAGING)
    kind = AssetKind(given["kind"]) if given["kind"] else None
    found, next_cursor = assets.page(guards.user().id, kind=kind, cursor=given["cursor"], limit=given["limit"])
    return bodies.page_of([shapes.asset(asset) for asset in found], next_cursor)


@bp.get("/templates")
@guards.scoped("assets:read")
def list_templates() -> Response:
    """What a design can be set onto."""
    from patchbay.pictures import templates

    bodies.query()
    return bodies.answered({"data": [shapes.template(template) for template in templates.all()]})


@bp.post("/mockups")
@guards.scoped("assets:write")
def make_mockup() -> Response:
    """Set a design onto a template."""
    given = bodies.read(DESIGN, TEMPLATE)
    mockup = assets.make_mockup(guards.user().id, given["designId"], given["templateId"])
    return bodies.answered(shapes.asset(mockup), 201)
