"""Designs and mockups: the gallery, bringing and making them, and sending them to shops and storages.

What happens to the pictures lives in `patchbay.assets`; sending them is a run like any other.
"""

from collections.abc import Mapping
from typing import Any

from flask import Blueprint, Response, request, url_for
from flask_babel import gettext as _

from blueprints import forms, guards, rendering
from blueprints.api.waiting import until_ended
from blueprints.shown import assets as shown
from blueprints.shown.assets import AssetItem, Place, TemplateItem
from patchbay import assets, clock, connections, images, records, runs
from patchbay.connections import ask
from patchbay.errors import N_, Invalid, NotFound, PatchbayError
from patchbay.models import Asset, AssetKind, Run, Trigger
from patchbay.pictures import templates

bp = Blueprint("assets", __name__)
A_PAGE = 48
PRODUCTS_SHOWN = 20
FOLDERS_SHOWN = 50
FOLDER_WAIT_S = 8
NO_ERRORS: Mapping[str, str] = {}
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
        asset = assets.upload(guards.user().id, file.stream.read(assets.MAX_BYTES + 1), file.filename)
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
@guards.scoped("assets:write")
def publish(asset_id: str) -> Response:
    """Choose a shop and one of its imported products."""
    return _publish_form(_own(asset_id), forms.sought("shop"), NO_ERRORS)


@bp.post("/mockups/<asset_id>/publish", endpoint="publish_now")
@guards.scoped("assets:write", "runs:write")
def publish_mockup(asset_id: str) -> Response:
    """Start the run that adds the picture to the product."""
    asset = _own(asset_id)
    shop = _place(forms.text("shop"), shown.PUBLISH)
    try:
        run = _send(asset, shop, request.form.get(shop.field.name, ""))
    except Invalid as error:
        return _publish_form(asset, shop.key, error.fields, status=422)
    return rendering.see_other(url_for("runs.show", run_id=run.id))


@bp.get("/mockups/<asset_id>/save")
@guards.scoped("assets:write")
def save(asset_id: str) -> Response:
    """Choose a storage and one of its folders as they are now."""
    return _save_form(_own(asset_id), forms.sought("storage"), NO_ERRORS)


@bp.post("/mockups/<asset_id>/save", endpoint="save_now")
@guards.scoped("assets:write", "runs:write")
def save_mockup(asset_id: str) -> Response:
    """Start the run that uploads the picture."""
    asset = _own(asset_id)
    storage = _place(forms.text("storage"), shown.SAVE)
    try:
        run = _send(asset, storage, request.form.get(storage.field.name, ""))
    except Invalid as error:
        return _save_form(asset, storage.key, error.fields, status=422)
    return rendering.see_other(url_for("runs.show", run_id=run.id))


@bp.post("/mockups/<asset_id>/folders")
@guards.scoped("assets:write", "runs:write")
def create_folder(asset_id: str) -> Response:
    """Start the run that makes a folder, wait a moment for it, and offer it in the form."""
    asset = _own(asset_id)
    storage = _place(forms.text("storage"), shown.NEW_FOLDER)
    values = {"folderName": forms.text("folderName", 255)}
    try:
        run = runs.start(guards.user().id, storage.key, shown.NEW_FOLDER, values, Trigger.PAGE)
    except Invalid as error:
        return _save_form(asset, storage.key, error.fields, status=422)
    run = until_ended(run.user_id, run, FOLDER_WAIT_S)
    if run.is_open or run.result is None:
        return rendering.see_other(url_for("runs.show", run_id=run.id))
    return rendering.see_other(
        url_for("assets.save", asset_id=asset.id, storage=storage.key, folder=run.result.get("folderId"))
    )


@bp.get("/assets/<token>.<extension>")
def file(token: str, extension: str) -> Response:
    """A picture for whoever has its signed address, until that ends; platforms fetch mockups here."""
    asset, ends_at = assets.opened(token)
    if extension != asset.extension:
        raise NotFound("asset link")
    response = Response(assets.content_of(asset), mimetype=asset.content_type)
    left_s = max(0, int((ends_at - clock.now()).total_seconds()))
    response.headers["Cache-Control"] = f"public, max-age={left_s}"
    response.headers["Content-Disposition"] = "inline"
    response.headers["Content-Security-Policy"] = PICTURE_POLICY
    response.headers["Cross-Origin-Resource-Policy"] = "cross-origin"
    response.set_etag(asset.sha256)
    response.make_conditional(request, accept_ranges=True, complete_length=asset.size_bytes)
    return response


def _own(asset_id: str) -> Asset:
    return assets.get(guards.user().id, asset_id)


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


def _place(key: str, operation_name: str) -> Place:
    """The place of that key, else the first. Raises NotFound when nothing is connected for it."""
    found = shown.places(connections.of_user(guards.user().id), operation_name)
    if not found:
        raise NotFound(operation_name, sentence=N_("Nothing is connected for this. Connect a shop or a storage first."))
    return next((place for place in found if place.key == key), found[0])


def _send(asset: Asset, place: Place, chosen: str) -> Run:
    values = {place.field.name: chosen, "mockupUrls": [assets.link(asset)]}
    return runs.start(guards.user().id, place.key, place.operation.name, values, Trigger.PAGE)


def _publish_form(asset: Asset, key: str, errors: Mapping[str, str], *, status: int = 200) -> Response:
    shop, q = _place(key, shown.PUBLISH), forms.sought("q")
    query = records.Query(guards.user().id, shop.key, shop.stream, q or None)
    products, _following = records.page(query, cursor=None, limit=PRODUCTS_SHOWN)
    return rendering.page_or_fragment(
        "assets/publish.html",
        "assets/_publish.html",
        status=status,
        asset=asset,
        shops=shown.places(connections.of_user(guards.user().id), shown.PUBLISH),
        shop=shop.key,
        q=q,
        products=products,
        chosen=request.form.get(shop.field.name, ""),
        field=shop.field.name,
        errors=errors,
    )


def _save_form(asset: Asset, key: str, errors: Mapping[str, str], *, status: int = 200) -> Response:
    storage, q = _place(key, shown.SAVE), forms.sought("q")
    folders, problem = _folders(storage, q)
    return rendering.page_or_fragment(
        "assets/save.html",
        "assets/_save.html",
        status=status,
        asset=asset,
        storages=shown.places(connections.of_user(guards.user().id), shown.SAVE),
        storage=storage,
        q=q,
        folders=folders,
        problem=problem,
        chosen=request.values.get(storage.field.name, "") or request.args.get("folder", ""),
        new_name=forms.text("folderName", 255),
        errors=errors,
    )


def _folders(storage: Place, q: str) -> tuple[list[Mapping[str, Any]], str]:
    """The storage's folders right now, and a sentence when it could not be asked."""
    try:
        answer = ask(guards.user().id, storage.key, shown.FOLDERS, {"search": q, "limit": FOLDERS_SHOWN})
    except PatchbayError as error:
        return [], rendering.sentence_of(error)
    return list(answer["folders"]), ""
