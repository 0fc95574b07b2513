"""The calls of the REST API on files, nodes, pictures, folders and the user.

Source: npm @figma/rest-api-spec 0.43.0 (parameters, answers, scopes); developers.figma.com "Rate Limits" (tiers); read
2026-11-21. From memory: the words of some refusals ("Request too large", "Render timeout", "File type not supported").
Webhooks are in `webhooks`.
"""

import math
import re
from collections.abc import Callable, Mapping

from werkzeug.wrappers import Request, Response

from sandbox.hosts.figma import document
from sandbox.hosts.figma.access import Buckets, Tier, Viewer
from sandbox.hosts.figma.library import Library
from sandbox.hosts.figma.people import Person
from sandbox.hosts.figma.pictures import Pictures, thumbnail_url
from sandbox.hosts.figma.refusals import FigmaRefused, as_json, not_found
from sandbox.hosts.figma.rendering import MEDIA_TYPES, is_renderable
from sandbox.store import Document

_MOST_RENDERS = 100  # nodes in one call, above which drawing them takes too long
_FLAGS = (
    *("svg_outline_text", "svg_include_id", "svg_include_node_id", "svg_simplify_stroke"),
    *("contents_only", "use_absolute_bounds"),
)
Call = Callable[[Request, Viewer, str], Response]


class Api:
    """Each call demands its scope, then counts, then looks: what the user may not see is not found."""

    def __init__(self, library: Library, buckets: Buckets, pictures: Pictures) -> None:
        self._library = library
        self._buckets = buckets
        self._pictures = pictures
        self._calls: tuple[tuple[re.Pattern[str], Call], ...] = tuple(
            (re.compile(pattern), call)
            for pattern, call in (
                (r"/v1/me()", self._me),
                (r"/v1/files/([^/]+)", self._file),
                (r"/v1/files/([^/]+)/nodes", self._nodes),
                (r"/v1/files/([^/]+)/images", self._fills),
                (r"/v1/files/([^/]+)/meta", self._meta),
                (r"/v1/images/([^/]+)", self._images),
                (r"/v1/teams/([^/]+)/projects", self._projects),
                (r"/v1/projects/([^/]+)/files", self._project_files),
                (r"/v2/teams/([^/]+)/folders", self._team_folders),
                (r"/v2/folders/([^/]+)/folders", self._subfolders),
                (r"/v2/folders/([^/]+)/files", self._folder_files),
            )
        )

    def call_at(self, path: str) -> Callable[[Request, Viewer], Response] | None:
        """The call that a path stands for."""
        for pattern, call in self._calls:
            match = pattern.fullmatch(path)
            if match:
                name = match[1]
                return lambda request, viewer, call=call: call(request, viewer, name)  # type: ignore[misc]  # the default binds the loop's value
        return None

    def team_at(self, path: str, who: Person) -> Document:
        """The team whose plan counts for a path."""
        match = re.fullmatch(r"/v1/(?:files|images)/([^/]+)(?:/.*)?", path)
        file = self._library.file(match[1]) if match else None
        return self._library.team_of(file) if file else self._library.plan_of(who)

    def _me(self, request: Request, viewer: Viewer, _: str) -> Response:  # noqa: ARG002 - one signature for all calls
        viewer.demand("current_user:read")
        self._buckets.take(viewer, self._library.plan_of(viewer.person), 3)
        return as_json(viewer.person.as_user() | {"email": viewer.person.email})

    def _file(self, request: Request, viewer: Viewer, key: str) -> Response:
        file = self._content(request, viewer, key)
        depth, ids = _depth(request.args), _ids(request.args)
        if file.get("heavy") and depth is None and not ids:
            raise FigmaRefused(400, "Request too large. If applicable, filter by query params.")
        root = document.tree(file)
        if ids:
            root = document.narrowed(root, set(ids)) or root
        loose: Document = {"components": {}, "componentSets": {}, "schemaVersion": 0, "styles": {}}
        head = self._head(viewer, file) | {"linkAccess": "inherit"}
        return as_json({"document": document.cut(root, depth)} | loose | head)

    def _nodes(self, request: Request, viewer: Viewer, key: str) -> Response:
        file = self._content(request, viewer, key)
        depth, ids, root = _depth(request.args), _needed_ids(request.args), document.tree(file)
        found = {node_id: document.find(root, node_id) for node_id in ids}
        loose: Document = {"components": {}, "componentSets": {}, "schemaVersion": 0, "styles": {}}
        nodes = {
            node_id: {"document": document.cut(node, depth)} | loose if node else None
            for node_id, node in found.items()
        }
        return as_json(self._head(viewer, file) | {"nodes": nodes})

    def _images(self, request: Request, viewer: Viewer, key: str) -> Response:
        file = self._content(request, viewer, key)
        terms = request.args
        ids, scale, kind = _needed_ids(terms), _scale(terms), terms.get("format", "png")
        if kind not in MEDIA_TYPES:
            raise FigmaRefused(400, f"Invalid format, must be one of {', '.join(MEDIA_TYPES)}")
        if any(terms.get(flag, "true").lower() not in ("true", "false") for flag in _FLAGS):
            raise FigmaRefused(400, "Invalid boolean parameter")
        if len(ids) > _MOST_RENDERS:
            raise FigmaRefused(400, "Render timeout, try requesting fewer or smaller images")
        root = document.tree(file)
        images: dict[str, str | None] = {}
        for node_id in ids:
            node = document.find(root, node_id)
            drawn = node is not None and is_renderable(node)
            images[node_id] = self._pictures.add(node, kind, scale) if node and drawn else None
        return as_json({"err": None, "images": images})

    def _fills(self, request: Request, viewer: Viewer, key: str) -> Response:
        """No file here has a picture as a fill."""
        viewer.demand("file_content:read")
        self._seen(viewer, key, 2, request.args)
        return as_json({"error": False, "status": 200, "meta": {"images": {}}})

    def _meta(self, request: Request, viewer: Viewer, key: str) -> Response:
        viewer.demand("file_metadata:read")
        file = self._seen(viewer, key, 2, request.args)
        folder = self._library.folder(file["folder"]) or {"name": ""}
        creator = Person(file["creator"]).as_user()
        shown = {
            "name": file["name"],
            "folder_name": folder["name"],
            "last_touched_at": file["lastModified"],
            "creator": creator,
            "last_touched_by": creator,
            "thumbnail_url": thumbnail_url(file),
            "editorType": file["editorType"],
            "role": self._library.role(viewer.person, file),
            "link_access": "inherit",
            "url": f"https://www.figma.com/{_EDITORS[file['editorType']]}/{file['key']}",
            "version": file["version"],
        }
        return as_json({"file": shown})

    def _projects(self, request: Request, viewer: Viewer, team_id: str) -> Response:  # noqa: ARG002 - as above
        viewer.demand("projects:read")
        team = self._team(viewer, team_id)
        if team is None:
            raise FigmaRefused(403, "Access denied")
        folders = self._library.folders(team_id, None)
        projects = [{"id": folder["id"], "name": folder["name"]} for folder in folders]
        return as_json({"name": team["name"], "projects": projects})

    def _project_files(self, request: Request, viewer: Viewer, folder_id: str) -> Response:  # noqa: ARG002 - as above
        viewer.demand("projects:read")
        folder = self._folder(viewer, folder_id)
        if folder is None:
            raise FigmaRefused(403, "Access denied")
        return as_json({"name": folder["name"], "files": self._listed(folder_id)})

    def _team_folders(self, request: Request, viewer: Viewer, team_id: str) -> Response:  # noqa: ARG002 - as above
        viewer.demand("folders:read", also_old=False)
        team = self._team(viewer, team_id)
        if team is None:
            raise not_found()
        folders = [_shown(folder) for folder in self._library.folders(team_id, None)]
        return as_json({"name": team["name"], "folders": folders})

    def _subfolders(self, request: Request, viewer: Viewer, folder_id: str) -> Response:  # noqa: ARG002 - as above
        viewer.demand("folders:read", also_old=False)
        folder = self._folder(viewer, folder_id)
        if folder is None:
            raise not_found()
        below = [_shown(each) for each in self._library.folders(folder["team"], folder_id)]
        return as_json({"name": folder["name"], "folders": below})

    def _folder_files(self, request: Request, viewer: Viewer, folder_id: str) -> Response:  # noqa: ARG002 - as above
        viewer.demand("folders:read", also_old=False)
        folder = self._folder(viewer, folder_id)
        if folder is None:
            raise not_found()
        return as_json({"name": folder["name"], "files": self._listed(folder_id)})

    def _content(self, request: Request, viewer: Viewer, key: str) -> Document:
        """The file whose contents are asked for: the dearest calls, and not for every kind of file."""
        viewer.demand("file_content:read")
        file = self._seen(viewer, key, 1, request.args)
        if file["editorType"] not in ("figma", "figjam"):
            raise FigmaRefused(400, "File type not supported by this endpoint")
        return file

    def _seen(self, viewer: Viewer, key: str, tier: Tier, terms: Mapping[str, str]) -> Document:
        file = self._library.file(key)
        role = self._library.role(viewer.person, file) if file else None
        team = self._library.team_of(file) if file and role else self._library.plan_of(viewer.person)
        self._buckets.take(viewer, team, tier)
        if file is None or role is None or terms.get("version", file["version"]) != file["version"]:
            raise not_found()
        return file

    def _team(self, viewer: Viewer, team_id: str) -> Document | None:
        """A team that the caller is in; raises FigmaRefused for what cannot be a team's id."""
        if not re.fullmatch(r"[0-9]{1,32}", team_id):
            raise FigmaRefused(400, "Invalid team id", "message")
        team = self._library.team(team_id)
        is_mine = team is not None and viewer.person.email in team["seats"]
        self._buckets.take(viewer, team if team and is_mine else self._library.plan_of(viewer.person), 2)
        return team if is_mine else None

    def _folder(self, viewer: Viewer, folder_id: str) -> Document | None:
        if not re.fullmatch(r"[0-9]{1,32}", folder_id):
            raise FigmaRefused(400, "Invalid project id", "message")
        folder = self._library.folder(folder_id)
        team = self._library.team(folder["team"]) if folder else None
        is_mine = team is not None and viewer.person.email in team["seats"]
        self._buckets.take(viewer, team if team and is_mine else self._library.plan_of(viewer.person), 2)
        return folder if is_mine else None

    def _head(self, viewer: Viewer, file: Document) -> Document:
        return {
            "name": file["name"],
            "lastModified": file["lastModified"],
            "thumbnailUrl": thumbnail_url(file),
            "version": file["version"],
            "role": self._library.role(viewer.person, file),
            "editorType": file["editorType"],
        }

    def _listed(self, folder_id: str) -> list[Document]:
        return [listed(file) for file in self._library.files_in(folder_id)]


_EDITORS = {"figma": "design", "figjam": "board", "slides": "slides"}


def listed(file: Document) -> Document:
    """A file as lists show it."""
    return {
        "key": file["key"],
        "name": file["name"],
        "thumbnail_url": thumbnail_url(file),
        "last_modified": file["lastModified"],
    }


def _shown(folder: Document) -> Document:
    return {"id": folder["id"], "name": folder["name"], "parent_folder_id": folder["parent"]}


def _depth(terms: Mapping[str, str]) -> int | None:
    text = terms.get("depth")
    if text is None:
        return None
    if not re.fullmatch(r"[1-9][0-9]{0,5}", text, re.ASCII):
        raise FigmaRefused(400, "depth must be a positive integer")
    return int(text)


def _ids(terms: Mapping[str, str]) -> list[str]:
    """Node ids, each once; the form that addresses have (`1-2`) is understood too."""
    found = (part.strip() for part in terms.get("ids", "").split(","))
    return list(dict.fromkeys(re.sub(r"^(\d+)-(\d+)$", r"\1:\2", part) for part in found if part))


def _needed_ids(terms: Mapping[str, str]) -> list[str]:
    ids = _ids(terms)
    if not ids:
        raise FigmaRefused(400, "Parameter ids is required")
    return ids


def _scale(terms: Mapping[str, str]) -> float:
    try:
        scale = float(terms.get("scale", "1"))
    except ValueError:
        scale = math.nan
    if not 0.01 <= scale <= 4:
        raise FigmaRefused(400, "Invalid scale, must be between 0.01 and 4")
    return scale
