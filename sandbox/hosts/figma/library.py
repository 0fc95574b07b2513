"""Teams, folders and files of the sandbox's Figma, and who may see them.

A file is stored as `document` builds it; files of `generator` are computed, a changed or deleted one is kept. What a
caller's scopes allow is decided in `access`.
"""

from collections.abc import Iterator

from sandbox.hosts.figma import demo, document, generator
from sandbox.hosts.figma.people import Person
from sandbox.platform import ControlRefused
from sandbox.store import Document, Store

SEATS = ("view", "collab", "dev", "full")
PLANS = ("starter", "student", "pro", "org", "enterprise")


class Library:
    """All that people keep in Figma. Files lie in folders (once called projects), folders in teams."""

    def __init__(self, store: Store) -> None:
        self._store = store

    def reset(self) -> None:
        """The first state."""
        self._store.put_many("teams", ((team["id"], team) for team in demo.TEAMS))
        self._store.put_many("folders", ((folder["id"], folder) for folder in demo.FOLDERS))
        self._store.put_many("files", ((file["key"], file) for file in demo.files()))

    def team(self, team_id: str) -> Document | None:
        """A team with `plan` and `seats` by address."""
        return self._store.get("teams", team_id)

    def team_of(self, file: Document) -> Document:
        """The team a file is at home in: its plan decides how much may be asked."""
        folder = self.folder(file["folder"]) or {"team": demo.STUDIO}
        return self._store.get("teams", folder["team"]) or demo.TEAMS[0]

    def plan_of(self, who: Person) -> Document:
        """The best team of a person, for calls that name no file; without any, a starter plan."""
        mine = [team for _, team in self._store.each("teams") if who.email in team["seats"]]
        return max(mine, key=lambda team: PLANS.index(team["plan"]), default={"id": "", "plan": "starter", "seats": {}})

    def folder(self, folder_id: str) -> Document | None:
        """A folder with `team` and `parent`."""
        generated = self._generated()
        place = generator.folder_of(folder_id)
        if place is None:
            return self._store.get("folders", folder_id)
        seed, block = place
        if seed != generated["seed"] or block * generator.PER_FOLDER >= generated["count"]:
            return None
        return generator.folder(seed, block) | {"team": demo.STUDIO}

    def folders(self, team_id: str, parent: str | None) -> Iterator[Document]:
        """The folders right below another one, or the top ones of a team; stored ones first."""
        for _, folder in self._store.each("folders"):
            if folder["team"] == team_id and folder["parent"] == parent:
                yield folder
        if team_id == demo.STUDIO and parent is None:
            generated = self._generated()
            for block in range(-(-generated["count"] // generator.PER_FOLDER)):
                yield generator.folder(generated["seed"], block)

    def files_in(self, folder_id: str) -> Iterator[Document]:
        """The files right in a folder."""
        place = generator.folder_of(folder_id)
        if place is None:
            yield from (file for _, file in self._store.each("files") if file["folder"] == folder_id)
            return
        generated, first = self._generated(), place[1] * generator.PER_FOLDER
        for number in range(first, min(first + generator.PER_FOLDER, generated["count"])):
            file = self.file(generator.key_of(place[0], number))
            if file is not None:
                yield file

    def file(self, key: str) -> Document | None:
        """A file by its key, None also when it was deleted."""
        if self._store.get("deleted", key) is not None:
            return None
        stored = self._store.get("files", key)
        place = generator.number_of(key)
        if stored is not None or place is None:
            return stored
        generated = self._generated()
        return generator.file(*place) if place[0] == generated["seed"] and place[1] < generated["count"] else None

    def each_file(self, after: str | None) -> Iterator[Document]:
        """All files, stored ones by key, then computed ones by number; `after` is the key of the last one seen."""
        place = generator.number_of(after) if after else None
        if place is None:
            for key, stored in self._store.each("files", after=after):
                if generator.number_of(key) is None:
                    yield stored
        generated = self._generated()
        for number in range(place[1] + 1 if place else 0, generated["count"]):
            file = self.file(generator.key_of(generated["seed"], number))
            if file is not None:
                yield file

    def count(self, collection: str) -> int:
        """How many of `teams`, `folders` or `files` there are, computed ones too."""
        generated: int = self._generated()["count"]
        stored = self._store.count(collection)
        if collection == "folders":
            return stored - (-generated // generator.PER_FOLDER)
        if collection == "files":
            computed = [key for key, _ in self._store.each("files") if generator.number_of(key)]
            gone = [key for key, _ in self._store.each("deleted") if generator.number_of(key)]
            return stored - len(computed) + generated - len(gone)
        return stored

    def role(self, who: Person, file: Document) -> str | None:
        """`owner`, `editor` or `viewer`, None for a file that the person may not see."""
        if file["creator"] == who.email:
            return "owner"
        seat = self.team_of(file)["seats"].get(who.email)
        return None if seat is None else "editor" if seat in ("dev", "full") else "viewer"

    def generate(self, count: int, seed: int) -> None:
        """Give the studio `count` computed files, in place of those before."""
        with self._store.transaction():
            for collection in ("files", "deleted"):
                for key, _ in list(self._store.each(collection)):
                    if generator.number_of(key):
                        self._store.delete(collection, key)
            self._store.put("generated", demo.STUDIO, {"count": count, "seed": seed})

    def delete_file(self, key: str) -> Document:
        """Delete a file; raises ControlRefused."""
        with self._store.transaction():
            file = self._known(key)
            self._store.delete("files", key)
            self._store.put("deleted", key, {})
            return file

    def delete_frame(self, key: str, node_id: str) -> Document:
        """Delete a frame of a file; raises ControlRefused."""
        with self._store.transaction():
            file = self._known(key)
            for number, page in enumerate(file["pages"]):
                for place, stored in enumerate(page["frames"]):
                    if document.frame_id(number, place) == node_id and not stored.get("deleted"):
                        stored["deleted"] = True
                        changed = file | {"version": str(int(file["version"]) + 1)}
                        self._store.put("files", key, changed)
                        return changed
        raise ControlRefused("There is no such frame", 404)

    def set_terms(self, team_id: object, plan: object, who: Person | None, seat: object) -> Document:
        """Change a team's plan, or a member's seat there; raises ControlRefused."""
        with self._store.transaction():
            team = self.team(str(team_id or demo.STUDIO))
            if team is None:
                raise ControlRefused("There is no such team", 404)
            if plan is not None and plan not in PLANS:
                raise ControlRefused(f"plan must be one of {', '.join(PLANS)}")
            if (seat is None) != (who is None) or seat not in (None, *SEATS):
                raise ControlRefused(f"seat must be one of {', '.join(SEATS)}, and go with an account")
            seats = team["seats"] | ({who.email: seat} if who else {})
            changed: Document = team | {"plan": plan or team["plan"], "seats": seats}
            self._store.put("teams", changed["id"], changed)
            return changed

    def _known(self, key: str) -> Document:
        file = self.file(key)
        if file is None:
            raise ControlRefused("There is no such file", 404)
        return file

    def _generated(self) -> Document:
        return self._store.get("generated", demo.STUDIO) or {"count": 0, "seed": 0}
