"""Giving a grant back to its platform, in whatever way that platform takes it.

What is done here about a connection that ends lives in `upkeep`.
"""

import structlog

from patchbay import client, credentials, oauth, providers, tokens
from patchbay.errors import CredentialsRefused, PatchbayError
from patchbay.models import Connection, db
from patchbay.spec import OAuth2, Provider

log = structlog.get_logger()


def end_grant(connection: Connection, *, uninstall: bool) -> bool:
    """End what the connection was granted; True when the platform confirmed, or no longer knew the token."""
    provider = providers.get(connection.integration_id)
    api = client.of_connection(connection)
    if uninstall and provider.uninstall is not None:
        return _confirmed(provider, api, uninstall=True)
    token = connection.refresh_token or connection.access_token or ""
    db.session.commit()  # nothing stays open across a request
    return _confirmed(provider, api, token=token)


def give_back(provider: Provider, token: str, settings: dict[str, object]) -> None:
    """Give back a grant that is not kept."""
    app = credentials.find(provider, settings)
    source = tokens.GivenToken(token)
    is_sandbox = app is not None and app.is_sandbox
    _confirmed(
        provider, client.Client(provider, app, settings, is_sandbox, source, f"given:{provider.key}"), token=token
    )


def _confirmed(provider: Provider, api: client.Client, *, token: str = "", uninstall: bool = False) -> bool:
    try:
        if uninstall and provider.uninstall is not None:
            provider.uninstall(api)
            return True
        if provider.revoke is not None:
            provider.revoke(api)
            return True
        return isinstance(provider.auth, OAuth2) and api.app is not None and oauth.revoke(provider, api.app, token)
    except CredentialsRefused:
        return True  # the platform knows the token no more
    except PatchbayError as error:
        log.warning("A grant could not be given back.", integration=provider.key, error=error.kind)
        return False
