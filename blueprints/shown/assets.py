"""Assets and templates as pages show them, and where a mockup can go: shops and storages."""

from collections.abc import Iterable, Mapping
from dataclasses import dataclass
from datetime import datetime

from patchbay import assets, images, providers
from patchbay.models import Asset, AssetKind, Connection
from patchbay.pictures import templates
from patchbay.spec import Field, Kind, Operation

PUBLISH, SAVE, FOLDERS, NEW_FOLDER = "publish_mockup", "upload_file", "list_folders", "create_folder"


@dataclass(frozen=True)
class Place:
    """A connected platform that takes pictures, and the operation by which it does."""

    key: str
    name: str
    account_label: str
    operation: Operation

    @property
    def field(self) -> Field:
        """What the operation asks beside the pictures: the product, the folder."""
        return next(field for field in self.operation.input if field.kind is not Kind.PICTURES)

    @property
    def stream(self) -> str:
        """The stream that the operation's objects are imported by; "" where there is none."""
        imports = providers.get(self.key).imports
        return imports[0].stream if imports else ""

    @property
    def can_make_folders(self) -> bool:
        """Whether a folder can be made there."""
        return providers.get(self.key).operation(NEW_FOLDER) is not None


@dataclass(frozen=True)
class AssetItem:
    """A picture in the gallery. Addresses are signed: small one for pages, full one for whoever has it."""

    _asset: Asset
    thumbnail: str

    @property
    def id(self) -> str:
        """Its id."""
        return self._asset.id

    @property
    def name(self) -> str:
        """What it is called."""
        return self._asset.name

    @property
    def kind(self) -> AssetKind:
        """Design or mockup."""
        return self._asset.kind

    @property
    def width(self) -> int:
        """Pixels."""
        return self._asset.width

    @property
    def height(self) -> int:
        """Pixels."""
        return self._asset.height

    @property
    def size_bytes(self) -> int:
        """Of the file."""
        return self._asset.size_bytes

    @property
    def created_at(self) -> datetime:
        """When it came to be."""
        return self._asset.created_at

    @property
    def design_id(self) -> str | None:
        """The design that a mockup was made from."""
        return self._asset.design_id

    @property
    def address(self) -> str:
        """Where anybody may fetch it for an hour."""
        return assets.link(self._asset)

    @property
    def template_name(self) -> str:
        """The product that it was set onto (a message id), "" for designs."""
        return next((one.name for one in templates.all() if one.id == self._asset.template_id), "")


@dataclass(frozen=True)
class TemplateItem:
    """A product to print on; `name` is a message id."""

    id: str
    name: str
    preview: str


def places(connected: Mapping[str, Connection], operation_name: str) -> list[Place]:
    """The working connections whose platform has the operation, by name."""
    found: Iterable[tuple[Connection, Operation | None]] = (
        (connection, providers.get(key).operation(operation_name))
        for key, connection in connected.items()
        if connection.is_connected
    )
    shown = [
        Place(connection.integration_id, providers.get(connection.integration_id).name, connection.account_label, one)
        for connection, one in found
        if one is not None
    ]
    return sorted(shown, key=lambda place: place.name)


def template_tokens() -> dict[str, str]:
    """The tokens of the templates' previews, by id."""
    return {template.id: images.of_template(template.id) for template in templates.all()}
