"""Assets and templates as pages show them, and where a mockup can go: shops and storages."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime

from patchbay import assets, images, providers
from patchbay.models import Asset, AssetKind, Connection
from patchbay.pictures import templates
from patchbay.spec import Kind, Operation

PUBLISH = ("publish_mockup", "publish_photo")
SAVE = ("upload_file", "upload_asset")


@dataclass(frozen=True)
class Place:
    """A connected platform that takes pictures, and the operation by which it does."""

    key: str
    name: str
    account_label: str
    operation: Operation

    @property
    def pictures(self) -> str:
        """The name of the field that takes the pictures."""
        return next(field.name for field in self.operation.input if field.kind is Kind.PICTURES)


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


def places(connected: Mapping[str, Connection], operation_names: Sequence[str]) -> list[Place]:
    """The working connections whose platform has one of the operations, by name."""
    found = [
        Place(key, providers.get(key).name, connection.account_label, operation)
        for key, connection in connected.items()
        if connection.is_connected
        for operation in providers.get(key).operations
        if operation.name in operation_names and any(field.kind is Kind.PICTURES for field in operation.input)
    ]
    return sorted(found, key=lambda place: place.name)


def template_tokens() -> dict[str, str]:
    """The tokens of the templates' previews, by id."""
    return {template.id: images.of_template(template.id) for template in templates.all()}
