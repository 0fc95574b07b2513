"""The REST API: which method and path is which operation, what it demands, and how its parameters are read.

Source: Canva Developers SDK, REST reference (read 2026-11-21). What the operations do is in the modules beside it.
"""

import re
from collections.abc import Callable

from werkzeug.wrappers import Request, Response

from sandbox.grants import Grants
from sandbox.hosts.canva.access import Caller, caller_of
from sandbox.hosts.canva.assets import Assets
from sandbox.hosts.canva.designs import OWNERSHIPS, SORTS, Asked, Design, Designs, unpacked
from sandbox.hosts.canva.exports import Exports, formats_of, read_request
from sandbox.hosts.canva.folders import SORTS as FOLDER_SORTS
from sandbox.hosts.canva.folders import TYPES, Folders, Wanted
from sandbox.hosts.canva.limits import Limits
from sandbox.hosts.canva.refusals import CanvaRefused, as_json, misformed, no_such_endpoint, not_allowed_here
from sandbox.store import Document

_PATH = re.compile(r"/rest/v1/(users/me|[a-z-]+)(?:/(?!profile)([^/]*))?(?:/([a-z-]+))?")
_ID = re.compile(r"[a-zA-Z0-9_-]{1,50}")
_LONGEST_QUERY = 255
_MOST_AT_ONCE = 100

Call = Callable[[Request, Caller, str], Response]
Place = tuple[str, bool, str | None]
Endpoint = tuple[str, tuple[str, ...], Call]


class Rest:
    """Everything below https://api.canva.com/rest/v1 but the token endpoints."""

    def __init__(self, grants: Grants, limits: Limits, designs: Designs, exports: Exports, assets: Assets) -> None:
        self._grants = grants
        self._limits = limits
        self._designs = designs
        self._exports = exports
        self._assets = assets
        self._folders = Folders(designs, assets)
        self._endpoints = self._all_endpoints()

    def answer(self, request: Request, path: str) -> Response:
        """The answer of the endpoint at `path`, once it is known who calls. Raises CanvaRefused."""
        parts = _PATH.fullmatch(path)
        if parts is None:
            raise no_such_endpoint()
        resource, identity, rest = parts.groups()
        methods = self._endpoints.get((resource, identity is not None, rest))
        if methods is None:
            raise no_such_endpoint()
        if request.method not in methods:
            raise not_allowed_here()
        operation, scopes, call = methods[request.method]
        caller = caller_of(request, self._grants)
        caller.demand(*scopes)
        self._limits.count(operation, caller)
        if identity is not None and not _ID.fullmatch(identity):
            raise misformed(identity, "the id")
        return call(request, caller, identity or "")

    def _all_endpoints(self) -> dict[Place, dict[str, Endpoint]]:
        """By resource, whether an id follows, and what follows: method → operation, scopes, what answers."""
        content, meta = ("design:content:read",), ("design:meta:read",)
        look, change = ("asset:read",), ("asset:write",)
        return {
            ("users/me", False, None): {"GET": ("usersMe", (), self._me)},
            ("users/me", False, "profile"): {"GET": ("getUserProfile", ("profile:read",), self._profile)},
            ("designs", False, None): {"GET": ("listDesigns", meta, self._list_designs)},
            ("designs", True, None): {"GET": ("getDesign", meta, self._get_design)},
            ("designs", True, "export-formats"): {"GET": ("getDesignExportFormats", content, self._get_formats)},
            ("exports", False, None): {"POST": ("createDesignExportJob", content, self._begin_export)},
            ("exports", True, None): {"GET": ("getDesignExportJob", content, self._look_at_export)},
            ("asset-uploads", False, None): {"POST": ("createAssetUploadJob", change, self._begin_upload)},
            ("asset-uploads", True, None): {"GET": ("getAssetUploadJob", look, self._look_at_upload)},
            ("assets", True, None): {
                "GET": ("getAsset", look, self._get_asset),
                "PATCH": ("updateAsset", change, self._update_asset),
                "DELETE": ("deleteAsset", change, self._delete_asset),
            },
            ("folders", True, "items"): {"GET": ("listFolderItems", ("folder:read",), self._list_folder)},
        }

    def _me(self, _request: Request, caller: Caller, _id: str) -> Response:
        return as_json({"team_user": caller.person.as_owner(caller.client_id)})

    def _profile(self, _request: Request, caller: Caller, _id: str) -> Response:
        return as_json({"profile": {"display_name": caller.person.name}})

    def _list_designs(self, request: Request, caller: Caller, _id: str) -> Response:
        limit, asked = _asked(request)
        found = self._designs.list(caller, asked, limit)
        document: Document = {"items": [self._shown(design, caller) for design in found.designs]}
        return as_json(document | ({"continuation": found.continuation} if found.continuation else {}))

    def _get_design(self, _request: Request, caller: Caller, design_id: str) -> Response:
        return as_json({"design": self._shown(self._designs.visible(design_id, caller), caller)})

    def _get_formats(self, _request: Request, caller: Caller, design_id: str) -> Response:
        design = self._designs.visible(design_id, caller)
        return as_json({"formats": {name: {} for name in formats_of(design)}})

    def _begin_export(self, request: Request, caller: Caller, _id: str) -> Response:
        _demand_json(request)
        wanted = read_request(request.get_data())
        if not _ID.fullmatch(wanted.design_id):
            raise misformed(wanted.design_id, "designId")
        self._limits.count_export(wanted.design_id, caller)
        return as_json(self._exports.begin(wanted, caller))

    def _look_at_export(self, _request: Request, caller: Caller, job_id: str) -> Response:
        return as_json(self._exports.look(job_id, caller))

    def _begin_upload(self, request: Request, caller: Caller, _id: str) -> Response:
        return as_json(self._assets.begin_upload(request, caller))

    def _look_at_upload(self, _request: Request, caller: Caller, job_id: str) -> Response:
        return as_json(self._assets.look(job_id, caller))

    def _get_asset(self, _request: Request, caller: Caller, asset_id: str) -> Response:
        return as_json({"asset": self._assets.shown(self._assets.visible(asset_id, caller), caller.client_id)})

    def _update_asset(self, request: Request, caller: Caller, asset_id: str) -> Response:
        _demand_json(request)
        changed = self._assets.update(asset_id, request.get_data(), caller)
        return as_json({"asset": self._assets.shown(changed, caller.client_id)})

    def _delete_asset(self, _request: Request, caller: Caller, asset_id: str) -> Response:
        self._assets.delete(asset_id, caller)
        return Response(status=204)

    def _list_folder(self, request: Request, caller: Caller, folder: str) -> Response:
        limit = _limit(request, 50)
        wanted = Wanted(
            request.args.get("sort_by", FOLDER_SORTS[0]),
            tuple(request.args["item_types"].split(",")) if "item_types" in request.args else Wanted().types,
        )
        if wanted.sort not in FOLDER_SORTS:
            raise misformed(wanted.sort, "sort_by")
        if not set(wanted.types) <= TYPES:
            raise misformed(",".join(wanted.types), "item_types")
        return as_json(self._folders.items(folder, caller, wanted, request.args.get("continuation"), limit))

    def _shown(self, design: Design, caller: Caller) -> Document:
        return self._designs.shown(design, caller.client_id)


def _limit(request: Request, default: int) -> int:
    """How many entries; raises CanvaRefused for this and for any parameter that is given twice."""
    for name in request.args:
        if len(request.args.getlist(name)) > 1:
            raise CanvaRefused(
                400,
                "bad_query_params",
                f"Expected 1 query parameter {name} but found {len(request.args.getlist(name))}",
            )
    text = request.args.get("limit", str(default))
    if not (text.isascii() and text.isdigit() and 1 <= int(text) <= _MOST_AT_ONCE):
        raise misformed(text, "limit")
    return int(text)


def _asked(request: Request) -> tuple[int, Asked]:
    """How many designs of which list; a continuation token stands for all but the number."""
    limit = _limit(request, 25)
    if "continuation" in request.args:
        return limit, unpacked(request.args["continuation"])
    asked = Asked(
        request.args.get("sort_by", "relevance"),
        request.args.get("ownership", "any"),
        request.args.get("query", ""),
    )
    if asked.sort not in SORTS:
        raise misformed(asked.sort, "sort_by")
    if asked.ownership not in OWNERSHIPS:
        raise misformed(asked.ownership, "ownership")
    if len(asked.query) > _LONGEST_QUERY:
        raise misformed(asked.query, "query")
    return limit, asked


def _demand_json(request: Request) -> None:
    if request.mimetype != "application/json":
        raise CanvaRefused(
            400, "invalid_header_value", f"Content-Type {request.mimetype} is invalid for {request.path}"
        )
