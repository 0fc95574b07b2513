"""The form of an operation as it comes and goes: read, drawn again, started, and its lists added to.

The pages that it stands on are in `operations` and `assets`; how it is drawn is in `shown.drawing`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import urlencode

from flask import Response, request, url_for

from blueprints import forms, guards, rendering
from blueprints.api.waiting import until_ended
from blueprints.forms import Sent
from blueprints.shown import drawing, integrations
from blueprints.shown.drawing import Drawn, Easel
from blueprints.shown.integrations import Obstacle
from blueprints.shown.runs import reason_of
from patchbay import connections, providers, runs
from patchbay.errors import Invalid, NotFound
from patchbay.models import Connection, Run, RunStatus, Trigger
from patchbay.spec import Field, Kind, Operation, Provider

MAKER_WAIT_S = 8
NO_ERRORS: Mapping[str, str] = {}


@dataclass(frozen=True)
class OperationForm:
    """An operation that somebody is about to ask for; `fixed` are values that the page gives by itself."""

    provider: Provider
    connection: Connection
    operation: Operation
    sent: Sent
    fixed: Mapping[str, Any] = field(default_factory=dict)

    @property
    def fields(self) -> Sequence[Field]:
        """What is asked."""
        return [one for one in self.operation.input if one.name not in self.fixed]

    @property
    def obstacle(self) -> Obstacle | None:
        """Why it cannot be started now."""
        return integrations.obstacle(self.provider, self.connection, self.operation)

    @property
    def only_looks(self) -> bool:
        """Whether the platform answers at once with a list, and nothing is started."""
        return integrations.is_listing(self.provider, self.operation)

    @property
    def wants_start(self) -> bool:
        """Whether the button that starts was pressed; every other one, and every change, only draws the form anew."""
        return "do" in self.sent

    def values(self) -> dict[str, Any]:
        """What was filled in; a field that the form did not have yet is left to its default.

        Boxes that nobody ticked are not sent at all, so a posted form says them all.
        """
        boxes = {Kind.BOOLEAN, Kind.PICTURES} if request.method == "POST" else set()
        told = {
            one.name for one in self.fields if one.kind in boxes or {one.name, f"{one.name}.typed"} & set(self.sent)
        }
        return {name: value for name, value in forms.values_of(self.fields, self.sent).items() if name in told}

    def drawn(self, errors: Mapping[str, str]) -> list[Drawn]:
        """The fields, ready to be shown."""
        makes_for = "" if self.only_looks else self.operation.name
        easel = Easel(self.connection.user_id, self.connection, self.sent, errors, makes_for)
        return drawing.draw(easel, self.fields, self.values())

    def start(self) -> Run:
        """The run that it asks for. Raises Invalid by field, and what `runs.start` raises."""
        values = drawing.addressed(self.connection.user_id, self.fields, self.values())
        return runs.start(
            self.connection.user_id, self.provider.key, self.operation.name, {**values, **self.fixed}, Trigger.PAGE
        )


def form_of(key: str, operation_name: str, sent: Sent, fixed: Mapping[str, Any] | None = None) -> OperationForm:
    """The form for the signed-in user's connection. Raises NotFound, and Conflict when it is not connected."""
    provider = providers.get(key)
    operation = provider.operation(operation_name)
    if operation is None:
        raise NotFound(operation_name)
    return OperationForm(provider, connections.connected(guards.user().id, key), operation, sent, fixed or {})


def make(form: OperationForm) -> tuple[Sent, Mapping[str, str], Run | None]:
    """Make what a list lacks (a folder) and pick it.

    What the form says then, what is wrong with it, and the run if that still goes on. Raises NotFound.
    """
    wanted = next((one for one in form.fields if one.name == form.sent["make"]), None)
    maker = drawing.maker_of(form.connection, wanted, form.operation.name) if wanted else None
    if wanted is None or maker is None:
        raise NotFound(form.sent["make"])
    prefix, sent = f"{wanted.name}.new.", Sent(form.sent)
    given = {name.removeprefix(prefix): sent.poplist(name)[0] for name in [*sent] if name.startswith(prefix)}
    sent.pop("make")
    try:
        run = runs.start(form.connection.user_id, form.provider.key, maker.name, given, Trigger.PAGE)
    except Invalid as error:
        return form.sent, {f"{prefix}{name}": sentence for name, sentence in error.fields.items()}, None
    run = until_ended(run.user_id, run, MAKER_WAIT_S)
    if run.status is RunStatus.FAILED:
        return form.sent, {f"{prefix}{next(iter(given))}": reason_of(run)}, None
    if run.result is None:
        return sent, NO_ERRORS, run
    sent[wanted.name], sent[f"{wanted.name}.label"] = str(run.result[wanted.name]), next(iter(given.values()))
    sent["again"] = wanted.name
    return sent, NO_ERRORS, None


def filled_address(address: str, sent: Sent) -> str:
    """Where the form stands with what is filled in, so that a reload asks for nothing a second time."""
    kept = [(name, value) for name, value in sent.items(multi=True) if value and _is_kept(name)]
    return f"{address}?{urlencode(kept)}" if kept else address


def to_run(run: Run) -> Response:
    """On to the run's page."""
    return rendering.see_other(url_for("runs.show", run_id=run.id))


def _is_kept(name: str) -> bool:
    return name not in {"csrf_token", "do", "again", "more", "show"} and not name.endswith((".shown", ".count"))
