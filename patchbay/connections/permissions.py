"""What a connection may do at its platform, beside what is declared to need it: comparing scopes, nothing else.

Which scopes exist and what they imply is declared (`spec.auth`); asking for more of them lives in `departure`.
"""

from patchbay import providers
from patchbay.errors import N_, Conflict
from patchbay.models import Connection
from patchbay.spec import OAuth2, Operation, Scope


def missing(connection: Connection) -> tuple[Scope, ...]:
    """The scopes that are asked for and were not granted."""
    auth = providers.get(connection.integration_id).auth
    return auth.missing(frozenset(connection.scopes), connection.settings) if auth else ()


def missing_scopes(connection: Connection) -> tuple[str, ...]:
    """Their names."""
    return tuple(scope.name for scope in missing(connection))


def lacking(connection: Connection, operation: Operation) -> tuple[Scope, ...]:
    """Those of them that the operation needs."""
    return tuple(scope for scope in missing(connection) if scope.name in operation.scopes)


def new_needs(connection: Connection) -> tuple[Scope, ...]:
    """Those that were not even asked for when the owner connected: the declaration needs more than it did then."""
    if connection.scopes_asked is None:
        return ()
    return tuple(scope for scope in missing(connection) if scope.name not in connection.scopes_asked)


def check_allowed(connection: Connection, operation: Operation) -> None:
    """Raises Conflict when the owner has not allowed what the operation needs."""
    names = ", ".join(scope.name for scope in lacking(connection, operation))
    if names:
        sentence = N_(
            "The connection to %(provider)s lacks a permission that this needs (%(scopes)s). "
            "Allow it on the page of the integration."
        )
        provider = providers.get(connection.integration_id).name
        raise Conflict(sentence=sentence, provider=provider, scopes=names)


def with_those_for(connection: Connection, operation: Operation) -> tuple[str, ...]:
    """What to ask for so that the operation may run and nothing else changes: what is granted, and what it lacks."""
    auth = providers.get(connection.integration_id).auth
    granted = list(connection.scopes)
    have = auth.with_implied(frozenset(granted)) if isinstance(auth, OAuth2) else frozenset(granted)
    lacks = [scope.name for scope in lacking(connection, operation) if scope.name not in have]
    return tuple(dict.fromkeys([*granted, *lacks]))
