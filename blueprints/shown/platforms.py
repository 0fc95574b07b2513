"""What everything that belongs to a platform says of it in lists and on pages.

How a platform's own page is drawn lives in `integrations`, its card in `cards`.
"""

from patchbay.spec import Provider


class AtPlatform:
    """The platform of a row, by its key in addresses and its name in words."""

    _provider: Provider

    @property
    def integration_key(self) -> str:
        """The provider's key."""
        return self._provider.key

    @property
    def integration_name(self) -> str:
        """The provider's name."""
        return self._provider.name
