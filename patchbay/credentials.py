"""Our apps at the platforms: client ids and secrets from the environment, an administrator, or the sandbox.

What is done with them lives in `oauth`.
"""

from collections.abc import Mapping
from dataclasses import dataclass, field
from fnmatch import fnmatchcase
from typing import Any

from sqlalchemy import delete

from patchbay import audit, clock, providers, settings
from patchbay.models import ProviderCredential, db, transaction
from patchbay.spec import Keys, Provider


@dataclass(frozen=True)
class AppCredentials:
    """Our app at a platform. `origin` says where it was set: environment, admin, or sandbox. `is_sandbox`: it is one of
    the apps that the local stand-in knows, so that a setup can be rehearsed there.

    Where owners bring keys of their own there is no app, only the address to come back to: `origin` is owner.
    """

    client_id: str
    client_secret: str = field(repr=False)
    redirect_uri: str
    origin: str
    is_sandbox: bool = False


def find(provider: Provider, values: Mapping[str, Any] | None = None) -> AppCredentials | None:
    """Our app at the platform as it is set now: the environment wins, then the admin's entry, then the sandbox.

    `values` are the connection's settings: where an owner gave the address, they tell whether the sandbox plays it.
    """
    here = settings.current()
    if isinstance(provider.auth, Keys):
        is_played = here.sandbox and _is_played(provider, values or {})
        return AppCredentials("", "", here.callback_url, "owner", is_played)
    live = here.live.get(provider.credentials_name.lower())
    if live is not None:
        redirect_uri = live.redirect_uri or here.callback_url
        is_played = here.sandbox and live.client_id in _played_apps(provider)
        return AppCredentials(live.client_id, live.client_secret, redirect_uri, "environment", is_played)
    entered = db.session.get(ProviderCredential, provider.key)
    if entered is not None:
        redirect_uri = entered.redirect_uri or here.callback_url
        is_played = here.sandbox and entered.client_id in _played_apps(provider)
        return AppCredentials(entered.client_id, entered.client_secret or "", redirect_uri, "admin", is_played)
    if here.sandbox:
        own = _played_apps(provider)[0]
        return AppCredentials(own, f"sandbox-secret-{provider.key}", here.callback_url, "sandbox", is_sandbox=True)
    return None


def is_set_up(provider: Provider) -> bool:
    """Whether there are credentials without an administrator's entry: from the environment or the sandbox."""
    here = settings.current()
    return here.sandbox or isinstance(provider.auth, Keys) or provider.credentials_name.lower() in here.live


def enter(provider_key: str, client_id: str, client_secret: str | None, redirect_uri: str | None) -> None:
    """Store what an administrator entered; `client_secret` None keeps the present one. Raises NotFound."""
    provider = providers.get(provider_key)
    with transaction() as session:
        row = session.get(ProviderCredential, provider.key) or ProviderCredential(id=provider.key)
        row.client_id, row.redirect_uri, row.updated_at = client_id, redirect_uri, clock.now()
        if client_secret is not None:
            row.client_secret = client_secret
        session.add(row)
        audit.add(audit.Deed.CREDENTIALS_CHANGED, subject_id=provider.key)


def forget(provider_key: str) -> None:
    """Forget what an administrator entered; the sandbox takes over where it is on. Raises NotFound."""
    provider = providers.get(provider_key)
    with transaction() as session:
        session.execute(delete(ProviderCredential).where(ProviderCredential.id == provider.key))
        audit.add(audit.Deed.CREDENTIALS_CHANGED, subject_id=provider.key, cleared="true")


def _played_apps(provider: Provider) -> tuple[str, str]:
    """The client ids that the sandbox knows at this platform."""
    return f"sandbox-{provider.key}", f"other-{provider.key}"


def _is_played(provider: Provider, values: Mapping[str, Any]) -> bool:
    """Whether the address that the owner gave is one of those that the sandbox stands in for."""
    given = (_given(pattern, values) for pattern in provider.token_hosts if "{" in pattern)
    return any(fnmatchcase(host.lower(), pattern) for host in given for pattern in provider.hosts)


def _given(pattern: str, values: Mapping[str, Any]) -> str:
    """The host in an address that its owner gave; "" as long as nobody has."""
    try:
        return pattern.format_map(values).partition("/")[0]
    except KeyError:
        return ""
