"""One file per provider and nothing else: each module here defines `PROVIDER`, and is found by being here."""

import importlib
import pkgutil
from collections.abc import Mapping
from functools import cache

from patchbay.errors import N_, NotFound, SettingsError
from patchbay.spec import Provider


def all() -> tuple[Provider, ...]:  # noqa: A001 - read as `providers.all()`
    """Every provider, by name."""
    return tuple(_by_key().values())


def get(key: str) -> Provider:
    """The provider of that key. Raises NotFound."""
    try:
        return _by_key()[key]
    except KeyError:
        raise NotFound(key, sentence=N_("There is no such integration.")) from None


@cache
def _by_key() -> Mapping[str, Provider]:
    found: dict[str, Provider] = {}
    for module in pkgutil.iter_modules(__path__):
        provider: Provider = importlib.import_module(f"{__name__}.{module.name}").PROVIDER
        if provider.key in found:
            raise SettingsError(f"Two provider files have the key {provider.key!r}.")
        found[provider.key] = provider
    return dict(sorted(found.items(), key=lambda item: item[1].name.lower()))
