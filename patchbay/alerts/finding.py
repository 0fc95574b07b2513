"""What looking at rows brings to light, in the form in which it is raised."""

from collections.abc import Mapping
from dataclasses import dataclass, field

from patchbay import providers
from patchbay.errors import NotFound


@dataclass(frozen=True)
class Finding:
    """Something amiss for a user, as `alerts.raise_alert` takes it; `opens`: reason enough for one that is not open."""

    user_id: str
    subject_id: str
    connection_id: str | None = None
    params: Mapping[str, str] = field(default_factory=dict)
    opens: bool = True


def name_of(integration_id: str) -> str:
    """What the provider is called, or its key where it is no longer declared."""
    try:
        return providers.get(integration_id).name
    except NotFound:
        return integration_id


def title_of(integration_id: str, operation: str) -> str:
    """The operation's title (a message id), or its name where the provider no longer has it."""
    try:
        found = providers.get(integration_id).operation(operation)
    except NotFound:
        return operation
    return found.title if found is not None else operation
