"""Designs and mockups: the gallery, bringing and making them, and sending them to whatever takes pictures.

What happens to the pictures lives in `patchbay.assets`; sending them is a run like any other.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass

from flask import Blueprint, Response, request, send_file, url_for
from flask_babel import gettext as _

from blueprints import forms, guards, operation_forms, rendering
from blueprints.forms import Sent
from blueprints.operation_forms import NO_ERRORS, OperationForm, form_of
from blueprints.shown import assets as shown
from blueprints.shown.assets import AssetItem, Place, TemplateItem
from patchbay import assets, clock, connections, images
from patchbay.errors import N_, Invalid, NotFound
from patchbay.models import Asset, AssetKind
from patchbay.pictures import templates

bp = Blueprint("assets", __name__)
A_PAGE = 48
# An SVG is a document: it may draw and style itself, and nothing else, wherever it is opened.
PICTURE_POLICY = "default-src 'none'; style-src 'unsafe-inline'; sandbox"


@bp.get("/mockups")
@guards.scoped("assets:read")
def index() -> Response:
    """The gallery, newest first."""
    return _gallery(NO_ERRORS)


@bp.post("/mockups/upload")
@guards.scoped("assets:write")
def upload() -> Response:
    """Keep an uploaded design, and go on to setting it onto a product."""
    file = request.files.get("file")
    if file is None or not file.filename:
        return _gallery({"file": N_("Choose a picture first.")}, status=422)
    try:
        asset = assets.upload_file(guards.user().id, file.stream, file.filename)
    except Invalid as error:
        return _gallery(error.fields or {"file": error.sentence}, status=422)
    rendering.toast(_("The design is here. Choose a product for it."))
    return rendering.see_other(url_for("assets.make", design=asset.id))


@bp.get("/mockups/make")
@guards.scoped("assets:write")
def make() -> Response:
    """Choose a design and a product."""
    return _make_form(request.args.get("design", ""), request.args.get("template", ""), NO_ERRORS)


@bp.post("/mockups/make", endpoint="make_now")
@guards.scoped("assets:write")
def make_mockup() -> Response:
    """Set the design onto the product."""
    design_id, template_id = forms.text("designId"), forms.text("templateId")
    try:
        asset = assets.make_mockup(guards.user().id, design_id, template_id)
    except NotFound:
        return _make_form("", template_id, {"designId": N_("Choose one of your designs.")}, status=422)
    except Invalid as error:
        return _make_form(design_id, "", error.fields, status=422)
    return rendering.see_other(url_for("assets.show", asset_id=asset.id))


@bp.get("/mockups/<asset_id>")
@guards.scoped("assets:read")
def show(asset_id: str) -> Response:
    """One picture, and where it can go."""
    asset = assets.get(guards.user().id, asset_id)
    mine = connections.of_user(guards.user().id)
    return rendering.render(
        "assets/show.html",
        asset=_item(asset),
        can_publish=bool(shown.places(mine, shown.PUBLISH)),
        can_save=bool(shown.places(mine, shown.SAVE)),
    )


@bp.get("/mockups/<asset_id>/publish")
@guards.scoped("assets:write", "runs:write")
def publish(asset_id: str) -> Response:
    """Choose where the picture is shown, and what that place asks."""
    return _sending_form(_sending(asset_id, shown.PUBLISH, forms.sent()), NO_ERRORS)


@bp.post("/mockups/<asset_id>/publish", endpoint="publish_now")
@guards.scoped("assets:write", "runs:write")
def publish_now(asset_id: str) -> Response:
    """Start the run that shows it there, or draw the form anew."""
    return _send(_sending(asset_id, shown.PUBLISH, forms.sent()))


@bp.get("/mockups/<asset_id>/save")
@guards.scoped("assets:write", "runs:write")
def save(asset_id: str) -> Response:
    """Choose where the picture is kept, and what that place asks."""
    return _sending_form(_sending(asset_id, shown.SAVE, forms.sent()), NO_ERRORS)


@bp.post("/mockups/<asset_id>/save", endpoint="save_now")
@guards.scoped("assets:write", "runs:write")
def save_now(asset_id: str) -> Response:
    """Start the run that uploads it, or draw the form anew."""
    return _send(_sending(asset_id, shown.SAVE, forms.sent()))


@bp.get("/assets/<token>.<extension>")
def file(token: str, extension: str) -> Response:
    """A picture for whoever has its signed address, until that ends; platforms fetch mockups here."""
    asset, ends_at = assets.opened(token)
    if extension not in {asset.extension, assets.FOR_FEEDS}:
        raise NotFound("asset link")
    is_own = extension == asset.extension
    response = (
        send_file(assets.file_of(asset), asset.content_type, etag=asset.sha256)
        if is_own
        else send_file(assets.rendition_of(asset), "image/jpeg", etag=f"{asset.sha256}-feeds")
    )
    left_s = max(0, int((ends_at - clock.now()).total_seconds()))
    response.headers["Cache-Control"] = f"public, max-age={left_s}"
    response.headers["Content-Disposition"] = "inline"
    response.headers["Content-Security-Policy"] = PICTURE_POLICY
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    return response


def _item(asset: Asset) -> AssetItem:
    return AssetItem(asset, url_for("records.picture", token=images.of_asset(asset)))


def _gallery(errors: Mapping[str, str], *, status: int = 200) -> Response:
    kind, cursor = request.args.get("kind", ""), request.args.get("cursor")
    chosen = AssetKind(kind) if kind in set(AssetKind) else None
    found, following = assets.page(guards.user().id, kind=chosen, cursor=cursor, limit=A_PAGE)
    return rendering.page_or_fragment(
        "assets/index.html",
        "assets/_items.html",
        status=status,
        kind=chosen or "",
        assets=[_item(asset) for asset in found],
        more_address=url_for("assets.index", kind=chosen, cursor=following) if following else None,
        is_more=cursor is not None,
        errors=errors,
    )


def _make_form(design_id: str, template_id: str, errors: Mapping[str, str], *, status: int = 200) -> Response:
    designs, _following = assets.page(guards.user().id, kind=AssetKind.DESIGN, cursor=None, limit=A_PAGE)
    tokens = shown.template_tokens()
    return rendering.render(
        "assets/make.html",
        status=status,
        designs=[_item(design) for design in designs],
        templates=[
            TemplateItem(one.id, one.name, url_for("records.picture", token=tokens[one.id])) for one in templates.all()
        ],
        chosen_design=design_id,
        chosen_template=template_id,
        errors=errors,
    )


@dataclass(frozen=True)
class Sending:
    """A picture on its way to one of several places."""

    asset: Asset
    purpose: Sequence[str]
    places: Sequence[Place]
    place: Place
    form: OperationForm

    @property
    def address(self) -> str:
        """Where its form is."""
        return url_for("assets.publish" if self.purpose is shown.PUBLISH else "assets.save", asset_id=self.asset.id)


def _sending(asset_id: str, purpose: Sequence[str], sent: Sent) -> Sending:
    """What the form says; another place than before begins anew. Raises NotFound when nothing is connected for it."""
    asset = assets.get(guards.user().id, asset_id)
    found = shown.places(connections.of_user(asset.user_id), purpose)
    if not found:
        raise NotFound(asset_id, sentence=N_("Nothing is connected for this. Connect a shop or a storage first."))
    key = sent.get("place", "")
    place = next((one for one in found if one.key == key), found[0])
    if sent.get("at", place.key) != place.key:
        sent = Sent({"place": key})
    fixed = {place.pictures: [assets.link(asset)]}
    return Sending(asset, purpose, found, place, form_of(place.key, place.operation.name, sent, fixed))


def _send(sending: Sending) -> Response:
    form = sending.form
    if "make" in form.sent:
        return _made(sending)
    if not form.wants_start:
        return _sending_form(sending, NO_ERRORS)
    try:
        return operation_forms.to_run(form.start())
    except Invalid as error:
        return _sending_form(sending, error.fields, status=422)


def _made(sending: Sending) -> Response:
    sent, errors, run = operation_forms.make(sending.form)
    if run is not None:
        return operation_forms.to_run(run)
    if not errors and not rendering.wants_fragment():
        return rendering.see_other(operation_forms.filled_address(sending.address, sent))
    again = _sending(sending.asset.id, sending.purpose, sent)
    return _sending_form(again, errors, status=422 if errors else 200)


def _sending_form(sending: Sending, errors: Mapping[str, str], *, status: int = 200) -> Response:
    form = sending.form
    return rendering.page_or_fragment(
        "assets/send.html",
        "assets/_send.html",
        status=status,
        asset=sending.asset,
        address=sending.address,
        is_publishing=sending.purpose is shown.PUBLISH,
        places=sending.places,
        place=sending.place,
        operation=form.operation,
        integration=form.provider,
        obstacle=form.obstacle,
        fields=form.drawn(errors) if form.obstacle is None else [],
        errors=errors,
    )
