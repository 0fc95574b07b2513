"""Canva's asynchronous jobs: looked at with growing pauses until they are over. A failure arrives in HTTP 200."""

from typing import Any

import msgspec

from patchbay.errors import N_, PatchbayError, PlatformError, ProviderUnavailable
from patchbay.spec import Api, Request

API = "https://api.canva.com/rest/v1"
PAUSES_S = tuple(min(0.5 * 1.6**look, 8.0) for look in range(45))  # some five minutes in all

FAILURES = {
    "license_required": N_(
        "The design needs a paid %(provider)s plan for this: it has premium elements, or the size is too large."
    ),
    "approval_required": N_("The design must be approved in %(provider)s before it can be exported."),
    "file_too_big": N_("%(provider)s refused the picture because it is too large."),
    "import_failed": N_("%(provider)s could not read the picture."),
}


class JobError(msgspec.Struct):
    code: str
    message: str


class Asset(msgspec.Struct):
    id: str
    name: str


class Job(msgspec.Struct):
    """`urls` are those of an export, `asset` that of an upload; both come with success alone."""

    id: str
    status: str
    urls: list[str] = []
    asset: Asset | None = None
    error: JobError | None = None


class JobAnswer(msgspec.Struct):
    job: Job


def begun(api: Api, request: Request) -> str:
    """The id of the job that the request begins."""
    return api.read(api.send(request), JobAnswer).job.id


def over(api: Api, kind: str, job_id: str) -> Job:
    """The job once it has succeeded. Raises what it failed with, or ProviderUnavailable when it takes too long."""
    for pause_s in PAUSES_S:
        api.pause(pause_s)
        job = api.read(api.send(Request("GET", f"{API}/{kind}/{job_id}")), JobAnswer).job
        if job.status == "failed":
            raise failure(job.error)
        if job.status == "success":
            return job
    raise unavailable("the job is still in progress", N_("%(provider)s is taking very long. Try again later."))


def failure(error: JobError | None) -> PatchbayError:
    """What a failed job comes to in our words."""
    code, message = (error.code, error.message) if error else ("unknown", "")
    detail = f"{code}: {message}"[:500]
    if code == "internal_failure":
        return unavailable(detail, N_("%(provider)s failed at this. Try again in a few minutes."))
    sentence = FAILURES.get(code, N_("%(provider)s could not do this: %(words)s"))
    words: dict[str, Any] = {"provider": "Canva", "words": message[:300]}
    return PlatformError(detail, sentence=sentence, **words)


def unavailable(detail: str, sentence: str) -> ProviderUnavailable:
    """A fault that passes."""
    return ProviderUnavailable(detail, sentence=sentence, provider="Canva")
