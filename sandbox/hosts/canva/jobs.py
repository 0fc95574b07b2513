"""Asynchronous jobs: each is in progress for some looks, then it has succeeded or failed. A failure comes in HTTP 200.

Source: REST reference, "Asynchronous job endpoints" (read 2026-11-21). What a job does is for `exports` and `assets`.
"""

import time
import uuid
from collections.abc import Mapping
from typing import Any

import msgspec

from sandbox.hosts.canva.access import Caller
from sandbox.hosts.canva.refusals import CanvaRefused
from sandbox.store import Document, Store

EXPORT = "export"
UPLOAD = "asset upload"
ERRORS: Mapping[str, Mapping[str, str]] = {
    EXPORT: {
        "license_required": "User doesn't have the required license to export in PRO quality.",
        "approval_required": "The design must be approved before it can be exported.",
        "internal_failure": "The design could not be exported.",
    },
    UPLOAD: {
        "file_too_big": "Failed to import because the file is too big",
        "import_failed": "Failed to import because the file could not be read",
        "fetch_failed": "Failed to fetch the file",
    },
}
KINDS = {EXPORT: "exports", UPLOAD: "asset-uploads"}


class Job(msgspec.Struct, frozen=True):
    """A job; `looks_left` counts the looks that still find it in progress, `outcome` is what it then has come to."""

    id: str
    kind: str
    client_id: str
    account: str
    created_at: float
    looks_left: int
    outcome: dict[str, Any]
    error: str | None = None


class Jobs:
    """The jobs of everybody, and what was ordered of the next ones."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def order(self, *, polls: int, errors: list[str]) -> None:
        """From now on a job is in progress for `polls` looks; the next ones of each kind fail with these codes."""
        self._store.put("orders", "next", {"polls": polls, "errors": errors})

    def begin(self, kind: str, caller: Caller, outcome: Document, error: str | None = None) -> Job:
        """Keep a new job, which is in progress and knows already what it will fail with."""
        with self._store.transaction():
            ordered = self._store.get("orders", "next") or {"polls": 1, "errors": []}
            struck = next((code for code in ordered["errors"] if code in ERRORS[kind]), None)
            if struck is not None:
                ordered["errors"].remove(struck)
                self._store.put("orders", "next", ordered)
            job = Job(
                str(uuid.uuid4()), kind, caller.client_id, caller.email, time.time(), ordered["polls"], outcome,
                struck or error,
            )  # fmt: skip
            self._keep(job)
        return job

    def look(self, kind: str, job_id: str, caller: Caller) -> Job:
        """The job as it now stands, one look nearer to its end. Raises CanvaRefused 404 or 403."""
        with self._store.transaction():
            found = self._store.get(KINDS[kind], job_id)
            if found is None:
                raise CanvaRefused(404, "not_found", f"{kind.capitalize()} job with ID {job_id} not found")
            job = msgspec.convert(found, Job)
            if (job.account, job.client_id) != (caller.email, caller.client_id):
                raise CanvaRefused(403, "permission_denied", f"Not allowed to access {kind} job")
            if job.looks_left > 0:
                self._keep(msgspec.structs.replace(job, looks_left=job.looks_left - 1))
            return job

    def finish(self, job: Job, outcome: Document) -> None:
        """Keep what a job has come to, so that a later look finds the same."""
        self._keep(msgspec.structs.replace(job, outcome=outcome, looks_left=0))

    def _keep(self, job: Job) -> None:
        self._store.put(KINDS[job.kind], job.id, msgspec.to_builtins(job))


def begun(job: Job) -> Document:
    """The answer to the call that began a job."""
    return {"job": {"id": job.id, "status": "in_progress"}}


def unfinished(job: Job) -> Document | None:
    """How a job is shown that is in progress or has failed; None when it has succeeded."""
    if job.looks_left > 0:
        return {"id": job.id, "status": "in_progress"}
    if job.error is not None:
        error = {"code": job.error, "message": ERRORS[job.kind][job.error]}
        return {"id": job.id, "status": "failed", "error": error}
    return None
