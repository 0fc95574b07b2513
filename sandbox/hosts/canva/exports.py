"""Exports of designs: what may be asked for, what a job comes to, and the files behind its addresses.

Sources: REST reference "Create design export job", "Get design export job", "Get design export formats" (read
2026-11-21). Pictures and PDF can be had here; films, slides, tables and web pages are refused as unfit for the design.
"""

import secrets
from typing import Annotated, Literal

import msgspec

from sandbox.hosts.canva.access import Caller
from sandbox.hosts.canva.delivery import Delivery, over
from sandbox.hosts.canva.designs import Design, Designs
from sandbox.hosts.canva.jobs import EXPORT, Job, Jobs, begun, unfinished
from sandbox.hosts.canva.refusals import CanvaRefused
from sandbox.store import Document, Store

_ALL_FORMATS = frozenset({"pdf", "jpg", "png", "pptx", "gif", "mp4", "html_bundle", "html_standalone", "csv"})
_OF_KIND = {"doc": ("pdf",), "whiteboard": ("pdf", "jpg", "png")}
_PICTURES = ("pdf", "jpg", "png", "gif")
_ONE_FILE = frozenset({"pdf", "gif"})
_LEAST_SIDE, _MOST_SIDE = 40, 25_000
_FREE_SCALE = 1.125  # the free plan cannot enlarge beyond this


class Format(msgspec.Struct, frozen=True):
    """The `format` of an export request; keys that a type does not know are passed over."""

    type: str
    quality: int | str | None = None
    width: int | None = None
    height: int | None = None
    pages: list[Annotated[int, msgspec.Meta(ge=1)]] | None = None
    export_quality: Literal["regular", "pro"] = "regular"
    lossless: bool = True
    as_single_image: bool = False
    transparent_background: bool = False


class ExportRequest(msgspec.Struct, frozen=True):
    """The body of an export request."""

    design_id: str
    format: Format


class Exports:
    """Begins and shows export jobs."""

    def __init__(self, store: Store, jobs: Jobs, designs: Designs, delivery: Delivery) -> None:
        self._store = store
        self._jobs = jobs
        self._designs = designs
        self._delivery = delivery

    def begin(self, wanted: ExportRequest, caller: Caller) -> Document:
        """Start a job; raises CanvaRefused for what can be seen to be wrong at once."""
        design = self._designs.visible(wanted.design_id, caller)
        form = wanted.format
        if form.type not in formats_of(design):
            raise CanvaRefused(400, "bad_request_body", f"{form.type} export not supported for this design type")
        _check_plan(form)
        pages = _pages(form, design)
        size = _size(form, design)
        outcome = {"design": design.id, "pages": pages, "format": form.type, "quality": form.quality} | size
        outcome["single"] = form.as_single_image or form.type in _ONE_FILE
        return begun(self._jobs.begin(EXPORT, caller, outcome, _failure(form, design, size["width"])))

    def look(self, job_id: str, caller: Caller) -> Document:
        """The job, with its addresses once it is done; raises CanvaRefused."""
        with self._store.transaction():
            job = self._jobs.look(EXPORT, job_id, caller)
            if over(job.created_at):
                raise CanvaRefused(404, "not_found", "export job result has expired")
            shown = unfinished(job)
            if shown is None:
                urls = [self._delivery.export_address(path, job.created_at) for path in self._files(job)]
                shown = {"id": job.id, "status": "success", "urls": urls}
            return {"job": shown}

    def _files(self, job: Job) -> list[str]:
        """The paths of the exported files, which come into being at the first look that finds the job done."""
        outcome = job.outcome
        if "files" not in outcome:
            groups = [outcome["pages"]] if outcome["single"] else [[page] for page in outcome["pages"]]
            paths = [_path(outcome, group[0]) for group in groups]
            self._store.put_many(
                "files", ((path, outcome | {"pages": group}) for path, group in zip(paths, groups, strict=True))
            )
            outcome = outcome | {"files": paths}
            self._jobs.finish(job, outcome)
        files: list[str] = outcome["files"]
        return files


def formats_of(design: Design) -> tuple[str, ...]:
    """What a design can be exported as."""
    return _OF_KIND.get(design.kind, _PICTURES)


def read_request(body: bytes) -> ExportRequest:
    """The body of an export request; raises CanvaRefused 400."""
    try:
        wanted = msgspec.json.decode(body, type=ExportRequest)
    except msgspec.ValidationError as error:
        raise CanvaRefused(400, "invalid_field", _without_path(error)) from None
    except msgspec.DecodeError:
        raise CanvaRefused(400, "bad_request_body", "The request body is not valid JSON") from None
    if wanted.format.type not in _ALL_FORMATS:
        raise CanvaRefused(400, "bad_request_body", f"Unknown export type: {wanted.format.type}")
    return wanted


def _check_plan(form: Format) -> None:
    if form.type == "jpg" and not (isinstance(form.quality, int) and 1 <= form.quality <= 100):
        raise CanvaRefused(400, "invalid_field", "'quality' must be between 1 and 100")
    if form.type == "png" and form.transparent_background:
        raise CanvaRefused(
            400, "bad_request_params", "Users on the Canva Free plan can not export PNGs with transparent background."
        )


def _pages(form: Format, design: Design) -> list[int]:
    wanted = form.pages or list(range(1, design.pages + 1))
    beyond = [str(page) for page in wanted if page > design.pages]
    if beyond:
        raise CanvaRefused(
            400,
            "bad_request_body",
            f"Requested page(s) [{', '.join(beyond)}] of a design with {design.pages} page(s)",
        )
    return wanted


def _size(form: Format, design: Design) -> dict[str, int]:
    """The size of the exported picture: one side asked for scales the other, of both the larger scale counts."""
    scales = [1.0]
    if form.type not in _ONE_FILE and (form.width or form.height):
        scales = [asked / own for asked, own in ((form.width, design.width), (form.height, design.height)) if asked]
    if any(side is not None and not _LEAST_SIDE <= side <= _MOST_SIDE for side in (form.width, form.height)):
        raise CanvaRefused(400, "bad_request_body", "Requested dimensions exceed expected bounds")
    scale = max(scales)
    return {"width": max(1, round(design.width * scale)), "height": max(1, round(design.height * scale))}


def _failure(form: Format, design: Design, width: int) -> str | None:
    """What the job will fail with; everybody here is on the free plan."""
    if design.approval:
        return "approval_required"
    needs_plan = (design.premium and form.export_quality == "pro") or (form.type == "png" and not form.lossless)
    return "license_required" if needs_plan or width > design.width * _FREE_SCALE else None


def _path(outcome: Document, page: int) -> str:
    number = secrets.randbelow(10**14)
    return f"/{outcome['design'][-5:]}/{outcome['design']}/1/0/{page:04d}-{number}.{outcome['format']}"


def _without_path(error: msgspec.ValidationError) -> str:
    """The words of the validation in the platform's manner: "'type' must not be null" for what is missing."""
    text = str(error)
    if "missing required field" in text:
        return f"'{text.split('`')[1]}' must not be null"
    return text.partition(" - at")[0].replace("`", "'")
