"""Recipes: jobs that people do again and again, filled in by a form and carried out as a batch, stage by stage.

What does not live here: when a stage is planned and what becomes of a kill in between (`batches.stages`).
"""

from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from sqlalchemy import select

from patchbay import assets, batches, connections, images, providers
from patchbay.batches import Part
from patchbay.errors import N_, Conflict, Invalid, NotFound, PatchbayError
from patchbay.models import AssetKind, Batch, Connection, Record, Run, Trigger, db
from patchbay.pictures import templates
from patchbay.spec import Field, Kind, Pick, Provider, check

MOST_ITEMS = 25


@dataclass(frozen=True)
class Kitchen:
    """What a stage works with: the batch, and `remember`, which keeps what must not be made twice after a kill."""

    batch: Batch
    remember: Callable[[str, Callable[[], Any]], Any]

    @property
    def values(self) -> Mapping[str, Any]:
        """What the form said."""
        return self.batch.input

    def runs(self, operation: str) -> list[Run]:
        """The runs of that operation, in any stage so far, that went well."""
        done = (part.run for part in self.batch.parts if part.operation == operation)
        return [run for run in done if run is not None and run.result is not None]

    def mockup(self, design_id: str) -> str:
        """The id of the mockup of a design on the template that the form named, drawn once."""
        asset_id: str = self.remember(f"mockup:{design_id}", assets.reserve)
        if not assets.is_kept(asset_id):
            template_id = self.values["templateId"]
            assets.make_mockup(self.batch.user_id, design_id, template_id, asset_id=asset_id)
        return asset_id

    def link(self, asset_id: str) -> str:
        """An address of an asset of the owner's."""
        return assets.link(assets.get(self.batch.user_id, asset_id))


Stage = Callable[[Kitchen], Sequence[Part]]


@dataclass(frozen=True)
class Question:
    """One field of a recipe's form. `integration` is whose live lists a field with a pick offers."""

    field: Field
    integration: str = ""


@dataclass(frozen=True)
class Recipe:
    """A job: `title` and `description` are message ids; `asks` makes the form for what the user has connected.

    `needs` are operations for each of which one connected provider must be there.
    """

    key: str
    title: str
    description: str
    needs: tuple[str, ...]
    asks: Callable[[Mapping[str, Connection]], tuple[Question, ...]]
    stages: tuple[Stage, ...]


def recipe(key: str) -> Recipe:
    """The recipe of that key. Raises NotFound."""
    found = next((one for one in ALL if one.key == key), None)
    if found is None:
        raise NotFound(key)
    return found


def places(mine: Mapping[str, Connection], operation: str) -> list[Provider]:
    """The user's connected providers that have the operation, by name."""
    working = (providers.get(key) for key, connection in mine.items() if connection.is_connected)
    return sorted((one for one in working if one.operation(operation)), key=lambda one: one.name)


def is_possible(one: Recipe, mine: Mapping[str, Connection]) -> bool:
    """Whether the user has connected what the recipe needs."""
    return all(places(mine, operation) for operation in one.needs)


def begin(user_id: str, key: str, values: Mapping[str, Any], title: str, trigger: Trigger) -> Batch:
    """Start the recipe with a filled-in form. Raises NotFound, Conflict (something is not connected), Invalid."""
    chosen = recipe(key)
    mine = connections.of_user(user_id)
    if not is_possible(chosen, mine):
        raise Conflict(sentence=N_("Something that this needs is not connected. Connect it first."))
    clean = check(tuple(one.field for one in chosen.asks(mine)), values)
    batch = batches.new_batch(user_id, title, trigger)
    batch.recipe, batch.input = chosen.key, clean
    parts = chosen.stages[0](Kitchen(batch, lambda _name, make: make()))
    if not parts:
        raise Invalid(sentence=N_("There is nothing to do this with yet."))
    return batches.begin(batch, parts)


# -- what several recipes ask


def _template() -> Question:
    known = templates.all()
    return Question(
        Field(
            "templateId",
            N_("Set them onto"),
            Kind.CHOICE,
            choices=tuple(one.id for one in known),
            words=tuple(one.name for one in known),
        )
    )


def _place(name: str, label: str, mine: Mapping[str, Connection], operation: str) -> Question:
    found = places(mine, operation)
    return Question(
        Field(
            name,
            label,
            Kind.CHOICE,
            choices=tuple(one.key for one in found),
            words=tuple(one.name for one in found),
            default=found[0].key if found else None,
        )
    )


def _folder_name(default: str) -> Question:
    return Question(Field("folderName", N_("Name of the new folder"), max_length=100, default=default))


# -- new products → a folder of mockups


def _ask_new_products(mine: Mapping[str, Connection]) -> tuple[Question, ...]:
    shops = [one for one in places(mine, "publish_mockup") if one.imports]
    shop = Field(
        "shop",
        N_("Products of"),
        Kind.CHOICE,
        choices=tuple(one.key for one in shops),
        words=tuple(one.name for one in shops),
        default=shops[0].key if shops else None,
    )
    storage = _place("storage", N_("Folder in"), mine, "create_folder")
    return (Question(shop), _template(), storage, _folder_name("Mockups"))


def _import_products(kitchen: Kitchen) -> Sequence[Part]:
    provider = providers.get(kitchen.values["shop"])
    return [Part(provider.key, provider.imports[0].name, {}, provider.name)]


def _make_folder(kitchen: Kitchen) -> Sequence[Part]:
    name = kitchen.values["folderName"]
    return [Part(kitchen.values["storage"], "create_folder", {"folderName": name}, name)]


def _save_mockups_of_products(kitchen: Kitchen) -> Sequence[Part]:
    parts = []
    for record in _new_records(kitchen):
        try:
            design_id = _design_of(kitchen, record)
        except PatchbayError:
            continue  # a product without a picture that can be had makes no mockup
        parts.append(_saved(kitchen, design_id, record.title))
    return parts


def _new_records(kitchen: Kitchen) -> list[Record]:
    """The newest products that the batch's import met for the first time; when it met none, the newest there are."""
    provider = providers.get(kitchen.values["shop"])
    run = kitchen.runs(provider.imports[0].name)[0]
    kept = (Record.connection_id == run.connection_id, Record.stream == run.stream, Record.deleted_at.is_(None))
    newest = select(Record).where(*kept).order_by(Record.id.desc()).limit(MOST_ITEMS)
    fresh = newest.where(Record.first_seen_at >= run.created_at)
    return list(db.session.scalars(fresh)) or list(db.session.scalars(newest))


def _design_of(kitchen: Kitchen, record: Record) -> str:
    asset_id: str = kitchen.remember(f"design:{record.id}", assets.reserve)
    if not assets.is_kept(asset_id):
        assets.upload(kitchen.batch.user_id, images.original(record, 0), record.title, asset_id=asset_id)
    return asset_id


def _saved(kitchen: Kitchen, design_id: str, label: str) -> Part:
    """The mockup of a design goes to the new folder; one that cannot be made does not stop the others."""
    storage = providers.get(kitchen.values["storage"])
    try:
        mockup_id = kitchen.mockup(design_id)
    except PatchbayError as error:
        return Part(storage.key, "upload_file", {}, label, error)
    return Part(storage.key, "upload_file", {**_new_folder(kitchen), "mockupUrls": [kitchen.link(mockup_id)]}, label)


def _new_folder(kitchen: Kitchen) -> dict[str, Any]:
    """The folder that was made, as the storage's upload names one."""
    made = kitchen.runs("create_folder")[0].result or {}
    action = providers.get(kitchen.values["storage"]).operation("upload_file")
    names = {field.name for field in action.input} if action else set()
    folder = next((name for name in ("folderId", "folderPath") if name in names and made.get(name)), None)
    return {folder: made[folder]} if folder else {}


# -- frames of a design file → a folder of mockups


def _ask_frames(mine: Mapping[str, Connection]) -> tuple[Question, ...]:
    pick = Pick("list_files", "files", value="key", picture="thumbnail_url", search="search")
    source = _place("source", N_("Frames of"), mine, "list_frames")
    storage = _place("storage", N_("Folder in"), mine, "create_folder")
    file = Question(Field("fileId", N_("Design file"), pick=pick), source.field.default or "")
    return (source, file, _template(), storage, _folder_name("Designs"))


def _import_frames(kitchen: Kitchen) -> Sequence[Part]:
    source, file_id = kitchen.values["source"], kitchen.values["fileId"]
    found = connections.ask(kitchen.batch.user_id, source, "list_frames", {"fileId": file_id})
    return [
        Part(source, "import_design", {"fileId": file_id, "nodeId": frame["id"]}, str(frame["name"]))
        for frame in list(found["frames"])[:MOST_ITEMS]
    ]


def _save_mockups_of_designs(kitchen: Kitchen) -> Sequence[Part]:
    labels = {part.run_id: part.label for part in kitchen.batch.parts}
    parts = []
    for run in kitchen.runs("import_design"):
        design_id = str((run.result or {})["assetId"])
        parts.append(_saved(kitchen, design_id, labels[run.id]))
    return parts


# -- the newest mockups → the feeds


def _ask_posts(mine: Mapping[str, Connection]) -> tuple[Question, ...]:  # noqa: ARG001 - asked of every recipe
    caption = Field("caption", N_("Caption"), Kind.LONG_TEXT, max_length=2_000)
    count = Field("count", N_("How many of the newest mockups"), Kind.NUMBER, default=1, lowest=1, highest=10)
    return (Question(caption), Question(count))


def _post_newest(kitchen: Kitchen) -> Sequence[Part]:
    user_id = kitchen.batch.user_id
    newest, _ = assets.page(user_id, kind=AssetKind.MOCKUP, cursor=None, limit=kitchen.values["count"])
    feeds = places(connections.of_user(user_id), "publish_photo")
    values = {"caption": kitchen.values["caption"]}
    return [
        Part(feed.key, "publish_photo", {**values, "mockupUrls": [assets.link(mockup)]}, mockup.name)
        for mockup in newest
        for feed in feeds
    ]


ALL = (
    Recipe(
        "new-products-to-folder",
        N_("New products to a folder of mockups"),
        N_("Imports a shop, sets each new product's picture onto a template, and saves the mockups to a new folder."),
        ("publish_mockup", "create_folder"),
        _ask_new_products,
        (_import_products, _make_folder, _save_mockups_of_products),
    ),
    Recipe(
        "frames-to-folder",
        N_("Frames of a design file to a folder of mockups"),
        N_("Imports every frame of a Figma file, sets each onto a template, and saves the mockups to a new folder."),
        ("list_frames", "create_folder"),
        _ask_frames,
        (_import_frames, _make_folder, _save_mockups_of_designs),
    ),
    Recipe(
        "mockups-to-feeds",
        N_("Newest mockups to your feeds"),
        N_("Posts the newest mockups with one caption to every connected feed, such as Instagram and a Facebook page."),
        ("publish_photo",),
        _ask_posts,
        (_post_newest,),
    ),
)
