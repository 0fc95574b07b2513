"""Which files there are at Figma: those of pasted links, and those of one team. It cannot say "all my files"."""

import re
from collections.abc import Iterator, Mapping
from typing import Any

import msgspec

from patchbay.errors import N_, Invalid, NotFoundThere, ScopeMissing
from patchbay.spec import Api, Request

API = "https://api.figma.com/v1"
PROJECTS_AT_ONCE = 20  # one request each; a page ends with a whole project, for Figma does not page its lists
ADDRESS = re.compile(r"figma\.com/(?:file|design|board|proto|slides)/(?:\w+/branch/)?(\w+)", re.ASCII)


class Project(msgspec.Struct):
    id: str
    name: str


class Team(msgspec.Struct):
    projects: list[Project]


class File(msgspec.Struct):
    key: str
    name: str
    last_modified: str
    thumbnail_url: str | None = None


class Files(msgspec.Struct):
    files: list[File]


class Facts(msgspec.Struct):
    name: str
    last_touched_at: str
    thumbnail_url: str | None = None


class Meta(msgspec.Struct):
    file: Facts


def list_files(api: Api, values: Mapping[str, Any]) -> dict[str, Any]:
    """The files of the pasted links, then those of the team's projects; the cursor is the next project's id."""
    links, team, cursor = (api.settings.get("links") or "").split(), api.settings.get("team"), values["cursor"]
    if not links and not team:
        raise Invalid(
            sentence=N_("Say first which files to offer: paste their links in the settings of this connection.")
        )
    keys = list(dict.fromkeys(file_key(link) for link in links))
    found = [] if cursor else list(linked(api, keys))
    projects, next_cursor = projects_of(api, team, cursor, has_links=bool(keys))
    for number, project in enumerate(projects):
        listed = api.read(api.send(Request("GET", f"{API}/projects/{project.id}/files")), Files).files
        found += [shown(file, project.name) for file in listed if file.key not in keys]
        api.progress(number + 1, len(projects))
    wanted = (values["search"] or "").casefold()
    return {"files": [file for file in found if wanted in file["name"].casefold()], "nextCursor": next_cursor}


def linked(api: Api, keys: list[str]) -> Iterator[dict[str, Any]]:
    """The files of pasted links; one that is gone is passed over and named in the log."""
    for key in keys:
        try:
            facts = api.read(api.send(Request("GET", f"{API}/files/{key}/meta")), Meta).file
        except NotFoundThere:
            api.log(N_("The linked file %(key)s does not exist, or is not shared with you."), key=key)
            continue
        yield shown(File(key, facts.name, facts.last_touched_at, facts.thumbnail_url), "")


def projects_of(api: Api, team: str | None, first: str | None, *, has_links: bool) -> tuple[list[Project], str | None]:
    """Some projects of the team from the one with the id `first` on, and the id of the one behind them.

    Specification 0.43 prefers /v2/teams/{id}/folders, which wants the scope folders:read, to these calls.
    """
    if not team:
        return [], None
    try:
        projects = api.read(api.send(Request("GET", f"{API}/teams/{team}/projects")), Team).projects
    except ScopeMissing:
        if not has_links:
            raise
        api.log(N_("Figma lets only private apps see a team's files; the linked files are shown."))
        return [], None
    ids = [project.id for project in projects]
    if first is not None and first not in ids:
        raise Invalid({"cursor": N_("This place in the list no longer exists. Begin anew.")})
    start = ids.index(first) if first is not None else 0
    end = start + PROJECTS_AT_ONCE
    return projects[start:end], ids[end] if end < len(ids) else None


def shown(file: File, project: str) -> dict[str, Any]:
    """A file as answers show it; `project` is "" for one that is known by its link alone."""
    return {
        "key": file.key,
        "name": file.name,
        "thumbnail_url": file.thumbnail_url,
        "lastModified": file.last_modified,
        "project": project,
        "url": f"https://www.figma.com/design/{file.key}",
    }


def file_key(text: str) -> str:
    """The key in a file's address (the branch's, if it names one); a bare key stays as it is."""
    match = ADDRESS.search(text)
    return match[1] if match else text


def team_id(text: str) -> str:
    """The id in a team's address; a bare id stays as it is."""
    match = re.search(r"/team/(\d+)", text, re.ASCII)
    return match[1] if match else text
