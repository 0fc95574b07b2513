"""Batches as pages show them: what became of each part, in words."""

from collections.abc import Sequence
from dataclasses import dataclass
from datetime import datetime

from blueprints.rendering import said
from blueprints.shown.runs import RunRow, reason_of
from patchbay import providers
from patchbay.errors import named
from patchbay.models import Batch, BatchPart, RunStatus


@dataclass(frozen=True)
class PartRow:
    """One part: its run, or why there is none. `link` is what it made at the platform, "" where that has no address.

    A part may name what is no integration: then `integration_key` is "", and the name is what was asked for.
    """

    label: str
    integration_key: str
    integration_name: str
    title: str
    run: RunRow | None
    reason: str
    link: str


@dataclass(frozen=True)
class BatchPage:
    """A batch with all that its page says."""

    _batch: Batch

    @property
    def id(self) -> str:
        """Its id."""
        return self._batch.id

    @property
    def title(self) -> str:
        """What it was called when it was started; by a recipe, which has a title in every language."""
        return said(self._batch.title) if self._batch.recipe else self._batch.title

    @property
    def version(self) -> str:
        """Changes with every change that the page would show."""
        return ".".join([str(self._batch.version), *(str(part.run.version) for part in self._batch.parts if part.run)])

    @property
    def is_open(self) -> bool:
        """Whether something of it is still to come."""
        return self._batch.ended_at is None

    @property
    def is_cancelling(self) -> bool:
        """Whether it was told to stop and has not yet."""
        return self._batch.cancelled_at is not None and self.is_open

    @property
    def created_at(self) -> datetime:
        """When it was asked for."""
        return self._batch.created_at

    @property
    def rows(self) -> Sequence[PartRow]:
        """Its parts, in the order in which they were asked for."""
        return [_row(part) for part in self._batch.parts]

    @property
    def done(self) -> int:
        """How many parts went well."""
        return sum(part.run is not None and part.run.status is RunStatus.SUCCEEDED for part in self._batch.parts)

    @property
    def failed(self) -> int:
        """How many parts came to nothing."""
        return sum(part.run is None or part.run.status is RunStatus.FAILED for part in self._batch.parts)

    @property
    def asking(self) -> int:
        """How many parts wait for their owner to decide."""
        return sum(part.run is not None and part.run.is_asking for part in self._batch.parts)

    @property
    def total(self) -> int:
        """How many parts there are so far."""
        return len(self._batch.parts)

    @property
    def problem(self) -> str:
        """Why it could not go on to its next stage, "" when it could."""
        kind = self._batch.error_kind
        if kind is None:
            return ""
        return said(self._batch.error_params.get("sentence", named(kind).sentence), self._batch.error_params)


def _row(part: BatchPart) -> PartRow:
    provider = next((each for each in providers.all() if each.key == part.integration_id), None)
    operation = provider.operation(part.operation) if provider else None
    run = part.run
    reason = reason_of(run) if run is not None else _reason(part)
    return PartRow(
        label=part.label,
        integration_key=provider.key if provider else "",
        integration_name=provider.name if provider else part.integration_id,
        title=operation.title if operation is not None else part.operation,
        run=RunRow(run, provider) if run is not None and provider else None,
        reason=reason,
        link=_link(run.result) if run is not None and run.result is not None else "",
    )


def _reason(part: BatchPart) -> str:
    kind = named(part.error_kind or "")
    return said(part.error_params.get("sentence", kind.sentence), part.error_params)


def _link(result: dict[str, object]) -> str:
    """Where the thing that was made can be looked at; https alone, for it is a platform's word."""
    several = result.get("fileUrls")
    first = several[0] if isinstance(several, list) and several else None
    address = result.get("publishedUrl") or first or result.get("url")
    return address if isinstance(address, str) and address.startswith("https://") else ""
