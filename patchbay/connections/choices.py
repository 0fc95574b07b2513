"""Choices after connecting: which page, team, space or folder of the account is meant, out of what the platform has.

A choice is a field of `Provider.settings` with a `pick`; what else is asked there is plain settings (`upkeep`).
"""

from collections.abc import Iterator, Mapping
from typing import Any

import structlog

from patchbay import audit, clock, providers
from patchbay.audit import Deed
from patchbay.connections.offers import Option, offer
from patchbay.connections.upkeep import connected, missing_choices
from patchbay.errors import N_, Invalid, PatchbayError
from patchbay.models import Connection, transaction
from patchbay.spec import Pick, Provider, check

log = structlog.get_logger()

PAGES_SEARCHED = 20


def choose_what_is_alone(connection: Connection) -> None:
    """Make the choices that leave nothing to choose. What cannot be asked now stays open: the form asks it."""
    for field in missing_choices(connection):
        if field.pick is None:
            continue
        try:
            offered = offer(connection, field.pick, given=_given(field.pick, connection.settings))
        except PatchbayError as error:
            log.warning("Choices could not be read.", integration=connection.integration_id, error=error.kind)
            continue
        if len(offered.options) == 1 and offered.next_cursor is None:
            _keep(connection, {field.name: offered.options[0].value}, {field.name: offered.options[0].label})


def change_settings(user_id: str, integration_id: str, values: Mapping[str, Any]) -> Connection:
    """Store the settings form. Raises Invalid with field errors, Conflict when not connected, and what the platform's
    answer means when it is asked whether a picked value exists.
    """
    provider = providers.get(integration_id)
    clean = check(provider.settings, values)
    connection = connected(user_id, integration_id)
    labels = _labels_of_picked(provider, connection, clean)
    _keep(connection, clean, labels)
    return connection


def _keep(connection: Connection, values: Mapping[str, Any], labels: Mapping[str, str]) -> None:
    with transaction() as session:
        session.refresh(connection)
        connection.settings = {**connection.settings, **values}
        kept = {name: label for name, label in connection.setting_labels.items() if connection.settings.get(name)}
        connection.setting_labels = {**kept, **labels}
        connection.updated_at = clock.now()
        audit.add(Deed.SETTINGS_CHANGED, user_id=connection.user_id, subject_id=connection.id)


def _labels_of_picked(provider: Provider, connection: Connection, values: Mapping[str, Any]) -> dict[str, str]:
    """The labels of freshly picked values. Raises Invalid for one that the platform does not offer."""
    labels, wrong = {}, {}
    for field in provider.settings:
        value = values[field.name]
        if field.pick is None or not value or _is_kept(connection, values, field.name, *field.pick.needs):
            continue
        given = _given(field.pick, values)
        found = next((one for one in _all(connection, field.pick, given) if one.value == value), None)
        if found is None:
            wrong[field.name] = N_("This is not one of the choices.")
        else:
            labels[field.name] = found.label
    if wrong:
        raise Invalid(wrong)
    return labels


def _is_kept(connection: Connection, values: Mapping[str, Any], *names: str) -> bool:
    """Whether these values are those that the connection has already."""
    return all(values.get(name) == connection.settings.get(name) for name in names)


def _given(pick: Pick, values: Mapping[str, Any]) -> dict[str, str]:
    """The values of the fields that the pick needs."""
    return {name: str(values.get(name) or "") for name in pick.needs}


def _all(connection: Connection, pick: Pick, given: Mapping[str, str]) -> Iterator[Option]:
    cursor: str | None = None
    for _page in range(PAGES_SEARCHED):
        offered = offer(connection, pick, cursor=cursor, given=given)
        yield from offered.options
        cursor = offered.next_cursor
        if cursor is None:
            return
