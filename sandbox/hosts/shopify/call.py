"""One GraphQL call as its fields see it: who asks, what may be asked, where products and pictures are found.

What the fields mean is in `resolvers`, `product_fields` and the mutations.
"""

from collections.abc import Callable
from dataclasses import dataclass, field
from typing import Any

from graphql import GraphQLError, GraphQLResolveInfo

from sandbox.grants import App, Grant
from sandbox.hosts.shopify.catalogue import Catalogue
from sandbox.hosts.shopify.ids import parse_gid
from sandbox.hosts.shopify.listing import Paging, PagingRefused, Slice
from sandbox.hosts.shopify.media import Media
from sandbox.hosts.shopify.oauth import OAuth, has_scope
from sandbox.hosts.shopify.staging import Staging
from sandbox.store import Document, Store

_ACCESS_PAGE = "https://shopify.dev/api/usage/access-scopes"
MOST_IDS = 250
Resolver = Callable[..., Any]
Info = GraphQLResolveInfo[Any]


@dataclass(slots=True)
class Call:
    """One GraphQL call: who asks, and the parts of the shop that answer."""

    grant: Grant
    app: App
    store: Store
    catalogue: Catalogue
    media: Media
    staging: Staging
    oauth: OAuth
    asks_one_product: bool = False
    looked: dict[int, Document] = field(default_factory=dict)

    @property
    def shop(self) -> str:
        """The domain of the shop that the token is for."""
        return self.grant.account

    def look(self, document: Document) -> Document:
        """The product with its pictures one step on; once per call, however often it is asked for."""
        number = document["number"]
        if number not in self.looked:
            self.looked[number] = self.media.look(self.shop, document)
        return self.looked[number]


def need(info: Info, *scopes: str) -> None:
    """Raise ACCESS_DENIED unless the token has one of the scopes."""
    call: Call = info.context
    if any(has_scope(call.grant.scopes, scope) for scope in scopes):
        return
    required = " or ".join(f"`{scope}`" for scope in scopes) + " access scope."
    raise GraphQLError(
        f"Access denied for {info.field_name} field. Required access: {required}",
        extensions={"code": "ACCESS_DENIED", "documentation": _ACCESS_PAGE, "requiredAccess": required},
    )


def plain(source: Any, info: Info, **_arguments: Any) -> Any:
    """The value under the field's own name."""
    return source.get(info.field_name)


def kind_of(value: Document, _info: Info, _type: object) -> str:
    """The type behind an interface, which every global id names."""
    kind: str = value["id"].split("/")[3]
    return kind


def number_in(text: str, kind: str) -> int | None:
    """The number in a global id of this kind, None for another kind; raises GraphQLError for what is no id."""
    parsed = parse_gid(text)
    if parsed is None:
        raise GraphQLError(f"Invalid global id '{text}'", extensions={"code": "BAD_USER_INPUT"})
    return parsed[1] if parsed[0] == kind else None


def find_product(call: Call, text: str) -> Document | None:
    """The product with this global id; raises GraphQLError for what is no id."""
    number = number_in(text, "Product")
    return call.catalogue.product(call.shop, number) if number is not None else None


def find_media(call: Call, text: str) -> tuple[Document, Document] | None:
    """(product, picture) for the global id of a picture."""
    number = number_in(text, "MediaImage")
    document = call.catalogue.owner_of(call.shop, number) if number is not None else None
    entry = next((each for each in document["media"] if each["number"] == number), None) if document else None
    return (document, entry) if document and entry else None


def paged(list_page: Callable[[], Slice]) -> Document:
    """The connection that a listing gives; what it refuses becomes a GraphQL error."""
    try:
        return list_page().connection()
    except PagingRefused as refusal:
        raise GraphQLError(str(refusal), extensions={"code": "BAD_REQUEST"}) from refusal


def paging_of(arguments: dict[str, Any]) -> Paging:
    """The paging arguments of a connection."""
    names = ("first", "after", "last", "before")
    return Paging(**{name: arguments.get(name) for name in names}, reverse=bool(arguments.get("reverse")))
