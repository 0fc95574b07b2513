"""What the bearer of a token may see and do in a Drive, decided by account, app and scopes.

Sources: Drive guide "Choose Google Drive API scopes" and the scopes each method lists in the discovery document (read
2026-11). How tokens come about is in `oauth`.
"""

from dataclasses import dataclass
from typing import Final

from werkzeug.wrappers import Request

from sandbox.grants import Grants
from sandbox.hosts.google_drive.people import Person
from sandbox.hosts.google_drive.refusals import DriveRefused, lacking_scope, not_found, unauthenticated
from sandbox.store import Document

_AUTH: Final = "https://www.googleapis.com/auth/"
FULL: Final = _AUTH + "drive"
PER_FILE: Final = _AUTH + "drive.file"
READ_ONLY: Final = _AUTH + "drive.readonly"
METADATA: Final = _AUTH + "drive.metadata"
METADATA_READ_ONLY: Final = _AUTH + "drive.metadata.readonly"

TO_LOOK = frozenset({FULL, PER_FILE, READ_ONLY, METADATA, METADATA_READ_ONLY})
TO_READ = frozenset({FULL, PER_FILE, READ_ONLY})
TO_CHANGE = frozenset({FULL, PER_FILE, METADATA})
TO_WRITE = frozenset({FULL, PER_FILE})
_SEE_ALL = TO_LOOK - {PER_FILE}


@dataclass(frozen=True, slots=True)
class Viewer:
    """Who calls: an account, through an app, with the scopes granted."""

    person: Person
    client_id: str
    scopes: frozenset[str]

    @property
    def email(self) -> str:
        """The account's key in the store."""
        return self.person.email

    def sees(self, file: Document) -> bool:
        """With `drive.file` alone, only what the app made or was opened with it."""
        return bool(self.scopes & _SEE_ALL) or self.client_id in file["apps"]

    def demand(self, method: str, scopes: frozenset[str]) -> None:
        """Raise the 403 of a token without any of the scopes the method takes."""
        if not self.scopes & scopes:
            raise lacking_scope(method, scopes)

    def demand_writable(self, file: Document) -> None:
        """Raise 404 for what the app cannot see, 403 for what it sees but was never given to change."""
        if not self.sees(file):
            raise not_found(file["id"])
        if not self.scopes & {FULL, METADATA} and self.client_id not in file["apps"]:
            raise DriveRefused(
                403,
                "appNotAuthorizedToFile",
                f"The user has not granted the app {self.client_id} write access to the file {file['id']}.",
                location="Authorization",
            )


def viewer_of(request: Request, grants: Grants) -> Viewer:
    """Who calls; raises DriveRefused 401."""
    token = bearer_token(request)
    grant = grants.live_access(token) if token else None
    if grant is None:
        raise unauthenticated(has_token=bool(token))
    return Viewer(Person(grant.account), grant.client_id, frozenset(grant.scopes))


def bearer_token(request: Request) -> str | None:
    """The token of the Authorization header, None when there is none."""
    scheme, _, token = request.headers.get("Authorization", "").partition(" ")
    return token.strip() or None if scheme.lower() == "bearer" else None
