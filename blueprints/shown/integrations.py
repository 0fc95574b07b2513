"""What an integration's own page shows of access, of what can be done with it, and of connecting."""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum

from blueprints.rendering import said
from blueprints.rendering.formats import listed
from patchbay import connections, records, settings
from patchbay.errors import N_, Invalid, PublicAddressNeeded
from patchbay.models import Connection, ConnectionState
from patchbay.spec import Action, Field, Keys, Operation, Provider, check


@dataclass(frozen=True)
class Permission:
    """A scope in words (message ids), and whether the connection has it. `is_asked`: it is or would be asked for.

    `is_new`: it was not asked for yet when the owner connected.
    """

    title: str
    purpose: str
    is_granted: bool
    is_optional: bool
    is_asked: bool
    is_new: bool = False


class Remedy(StrEnum):
    """What takes an obstacle away."""

    NONE = ""
    RECONNECT = "reconnect"
    GRANT = "grant"
    CHOOSE = "choose"


@dataclass(frozen=True)
class Obstacle:
    """Why an operation cannot be started now, in a sentence, and what helps.

    `allow` names the operation whose scopes are to be asked for, `titles` says what they allow.
    """

    sentence: str
    remedy: Remedy
    allow: str = ""
    titles: str = ""


@dataclass(frozen=True)
class Offered:
    """An operation as it is offered: its name, title (a message id), and what stands in its way.

    Of an import also its stream, how many records are kept of it, when it was last seen whole, and whether it asks for
    anything.
    """

    name: str
    title: str
    obstacle: Obstacle | None
    is_listing: bool = False
    stream: str = ""
    record_count: int = 0
    seen_at: datetime | None = None
    has_form: bool = True


def access(provider: Provider, connection: Connection | None) -> list[Permission]:
    """Every declared scope; without a connection none is granted."""
    if provider.auth is None:
        return []
    granted, values = (connection.scopes, connection.settings) if connection else ((), {})
    missing = provider.auth.missing(frozenset(granted), values)
    asked = provider.auth.asked(values)
    new = connections.new_needs(connection) if connection else ()
    return [
        Permission(
            title=scope.allows,
            purpose=scope.purpose,
            is_granted=scope in asked and scope not in missing,
            is_optional=scope.is_optional or bool(scope.asked_with),
            is_asked=scope in asked,
            is_new=scope in new,
        )
        for scope in provider.auth.scopes
    ]


def missing_titles(provider: Provider, connection: Connection | None) -> list[str]:
    """What was asked for and is not allowed (message ids)."""
    return [one.title for one in access(provider, connection) if one.is_asked and not one.is_granted]


def imports(provider: Provider, connection: Connection, counts: Mapping[str, int]) -> list[Offered]:
    """The provider's imports, with how many records are kept of each stream."""
    return [
        Offered(
            one.name,
            one.title,
            obstacle(provider, connection, one),
            stream=one.stream,
            record_count=counts.get(one.stream, 0),
            has_form=bool(one.input),
        )
        for one in provider.imports
    ]


def known(provider: Provider, connection: Connection) -> list[Offered]:
    """The imports that have brought something: what is there to be seen while the platform cannot be asked."""
    seen_at = records.swept(connection.id)
    brought = imports(provider, connection, records.counts(connection.id))
    return [replace(one, seen_at=seen_at.get(one.stream)) for one in brought if one.record_count]


def actions(provider: Provider, connection: Connection) -> list[Offered]:
    """What else can be done: first what does something, then what only looks."""
    offered = [
        Offered(one.name, one.title, obstacle(provider, connection, one), is_listing(provider, one))
        for one in provider.actions
    ]
    return sorted(offered, key=lambda one: one.is_listing)


def promised(provider: Provider) -> list[str]:
    """The titles (message ids) of what can be done once it is connected, lists left out."""
    return [one.title for one in provider.operations if not is_listing(provider, one)]


def is_listing(provider: Provider, operation: Operation) -> bool:
    """Whether the platform answers at once with a list: of pages, or one that fields are picked from.

    What else changes nothing there (an export) is a run all the same: it may take its time, and some of a quota.
    """
    if not isinstance(operation, Action) or not operation.is_read_only:
        return False
    asked = (*provider.settings, *(field for one in provider.operations for field in one.input))
    return "nextCursor" in operation.gives or operation.name in {field.pick.operation for field in asked if field.pick}


def obstacle(provider: Provider, connection: Connection, operation: Operation) -> Obstacle | None:
    """What stands in the operation's way on this connection."""
    if connection.state is ConnectionState.RECONNECT_NEEDED:
        sentence = said(N_("%(provider)s needs you to reconnect first."), {"provider": provider.name})
        return Obstacle(sentence, Remedy.RECONNECT)
    lacking = connections.lacking(connection, operation)
    if lacking:
        titles = listed(said(scope.allows) for scope in lacking)
        sentence = said(N_("Not allowed yet: %(titles)s."), {"titles": titles})
        return Obstacle(sentence, Remedy.GRANT, operation.name, titles)
    missing = connections.missing_choices(connection)
    if missing and operation.name not in {field.pick.operation for field in missing if field.pick}:
        return Obstacle(choose_first(missing), Remedy.CHOOSE)
    if isinstance(operation, Action) and operation.needs_public_address and not _is_reachable(connection):
        return Obstacle(said(PublicAddressNeeded.sentence, {"provider": provider.name}), Remedy.NONE)
    return None


def choose_first(missing: Sequence[Field]) -> str:
    """The sentence for choices that are still to be made."""
    return said(N_("Choose first: %(what)s."), {"what": listed(said(field.label) for field in missing)})


def to_allow(provider: Provider, connection: Connection | None, name: str) -> list[Permission]:
    """What the operation of that name lacks on a live connection; nothing when there is nothing to add."""
    operation = provider.operation(name)
    if operation is None or connection is None or connection.state is ConnectionState.DISCONNECTED:
        return []
    lacking = connections.lacking(connection, operation)
    return [
        Permission(scope.allows, scope.purpose, is_granted=False, is_optional=False, is_asked=True) for scope in lacking
    ]


def asked(provider: Provider, connection: Connection | None) -> Sequence[Field]:
    """The fields to fill in before leaving; a reconnect asks nothing twice."""
    is_live = connection is not None and connection.state is not ConnectionState.DISCONNECTED
    return () if is_live else provider.fields


def keys_page(provider: Provider, values: Mapping[str, object]) -> str:
    """Where the owner of these values makes keys; "" while that is not known."""
    if not isinstance(provider.auth, Keys) or not provider.auth.made_at:
        return ""
    try:
        places = check(provider.fields, {field.name: values.get(field.name) for field in provider.fields})
    except Invalid:
        return ""
    address = provider.auth.made_at.format_map(places)
    return address if address.startswith("https://") else ""


def _is_reachable(connection: Connection) -> bool:
    return connection.is_sandbox or settings.current().is_public
