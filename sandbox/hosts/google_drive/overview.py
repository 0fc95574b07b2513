"""The methods of Drive v3 on the account as a whole: what changed, whose it is, how full it is.

Source: the discovery document of drive.v3 (revision 20261106) and the method references (read 2026-11). Single files
are in `methods`.
"""

from werkzeug.wrappers import Request, Response

from sandbox.hosts.google_drive import fields
from sandbox.hosts.google_drive.access import TO_LOOK, Viewer
from sandbox.hosts.google_drive.methods import DEFAULT_FILE, number
from sandbox.hosts.google_drive.refusals import DriveRefused, as_json, invalid
from sandbox.hosts.google_drive.resource import shown
from sandbox.hosts.google_drive.tree import Tree
from sandbox.store import Document

_DEFAULT_CHANGES = (
    f"kind,nextPageToken,newStartPageToken,changes(kind,type,changeType,time,removed,fileId,file({DEFAULT_FILE}))"
)


class Overview:
    """Each public method answers one call of the API, for a caller already known."""

    def __init__(self, tree: Tree) -> None:
        self._tree = tree

    def start_page_token(self, request: Request, viewer: Viewer) -> Response:
        """changes.getStartPageToken."""
        viewer.demand("DriveChanges.GetStartPageToken", TO_LOOK)
        answer = {"kind": "drive#startPageToken", "startPageToken": str(self._tree.next_change(viewer.email))}
        return as_json(fields.select(answer, request.args.get("fields", "*"), fields.START_PAGE_TOKEN))

    def list_changes(self, request: Request, viewer: Viewer) -> Response:
        """changes.list."""
        viewer.demand("DriveChanges.List", TO_LOOK)
        end = self._tree.next_change(viewer.email)
        token = request.args.get("pageToken")
        if token is None:
            raise DriveRefused(400, "required", "Required parameter: pageToken", location="pageToken")
        if not (token.isascii() and token.isdigit() and len(token) < 16 and 1 <= int(token) <= end):
            raise invalid("pageToken")
        size = number(request, "pageSize", 100, 1, 1000)
        changes: list[Document] = []
        answer: Document = {"kind": "drive#changeList", "changes": changes, "newStartPageToken": str(end)}
        for change in self._seen_changes(request, viewer, int(token)):
            if len(changes) == size:
                answer["nextPageToken"] = str(change["number"])
                del answer["newStartPageToken"]
                break
            changes.append(self._change_shown(viewer, change))
        return as_json(fields.select(answer, request.args.get("fields", _DEFAULT_CHANGES), fields.CHANGE_LIST))

    def about(self, request: Request, viewer: Viewer) -> Response:
        """about.get, the one method that insists on `fields`."""
        viewer.demand("DriveAbout.Get", TO_LOOK)
        if not request.args.get("fields"):
            raise DriveRefused(
                400, "required", "The 'fields' parameter is required for this method.", location="fields"
            )
        account = self._tree.open_account(viewer.email)
        answer = {
            "kind": "drive#about",
            "user": viewer.person.as_user(),
            "storageQuota": {
                "limit": str(account["limit"]),
                "usage": str(account["used"]),
                "usageInDrive": str(account["used"]),
                "usageInDriveTrash": "0",
            },
            "maxUploadSize": "5242880000000",
            "appInstalled": True,
            "canCreateDrives": False,
            "canCreateTeamDrives": False,
            "importFormats": {},
            "exportFormats": {},
            "maxImportSizes": {},
            "folderColorPalette": ["#ac725e", "#f83a22", "#fa573c", "#ffad46", "#42d692", "#4986e7", "#9a9cff"],
            "driveThemes": [],
            "teamDriveThemes": [],
        }
        return as_json(fields.select(answer, request.args["fields"], fields.ABOUT))

    def _seen_changes(self, request: Request, viewer: Viewer, first: int) -> list[Document]:
        with_removed = request.args.get("includeRemoved", "true") != "false"
        return [
            change
            for change in self._tree.changes(viewer.email, first)
            if viewer.sees(change) and (with_removed or not change["removed"])
        ]

    def _change_shown(self, viewer: Viewer, change: Document) -> Document:
        result: Document = {
            "kind": "drive#change",
            "type": "file",
            "changeType": "file",
            "time": change["time"],
            "removed": change["removed"],
            "fileId": change["fileId"],
        }
        if not change["removed"]:
            result["file"] = shown(self._tree.get(viewer.email, change["fileId"]), viewer)
        return result
