"""The first state: the team of a small print shop with a dozen files, and a second team on the free plan.

What each thing means is in `library`.
"""

from sandbox.hosts.figma.document import frame
from sandbox.hosts.figma.people import ADA, BEN
from sandbox.store import Document

STUDIO = "1204879330016258113"
PLAYGROUND = "1204879330016258977"
APPAREL, POSTERS, BRAND, OLD_BRAND, SKETCHES = "58210044", "58210051", "58210067", "58210090", "61770012"
SQUARE = (1200, 1200)

TEAMS: tuple[Document, ...] = (
    {"id": STUDIO, "name": "Inkfield Studio", "plan": "enterprise", "seats": {ADA.email: "full", BEN.email: "view"}},
    {"id": PLAYGROUND, "name": "Ada's playground", "plan": "starter", "seats": {ADA.email: "full"}},
)
FOLDERS: tuple[Document, ...] = (
    {"id": APPAREL, "name": "Apparel prints", "parent": None, "team": STUDIO},
    {"id": POSTERS, "name": "Posters", "parent": None, "team": STUDIO},
    {"id": BRAND, "name": "Brand", "parent": None, "team": STUDIO},
    {"id": OLD_BRAND, "name": "Brand 2019–2024", "parent": BRAND, "team": STUDIO},
    {"id": SKETCHES, "name": "Sketches", "parent": None, "team": PLAYGROUND},
)


def files() -> list[Document]:
    """All files of the first state, in the order of their folders."""
    return [*_apparel(), *_posters(), *_brand(), *_free()]


def _apparel() -> list[Document]:
    harbour = {"Tees": [*_square("Harbour sun", "Night comet"), *_tall("Fern study")], "Mugs": _wide("Sun wrap")}
    meadow = {"Tees": [*_square("Meadow", "Back print"), frame("Kept for later", *SQUARE, visible=False)]}
    return [
        _file("fKsq1Harbour8RdTz3Wm0x", "Harbour collection", APPAREL, harbour),
        _file("hB72oMeadowLq9VnXc41Ye", "Meadow collection", APPAREL, meadow),
        _file("p0WnLanternsT6yKf2Ju8a", "Lanterns 🏮 / tote", APPAREL, {"Page 1": _tall("Lantern")}),
        _file("Zr5EmptyFrames7Gd2hN1b", "Unfinished", APPAREL, {"Page 1": [frame("Nothing yet", *SQUARE, empty=True)]}),
    ]


def _posters() -> list[Document]:
    orchard = {"A3": _tall(*(f"Orchard {number}" for number in range(1, 7)))}
    archive = {"All": _square(*(f"Sheet {number}" for number in range(1, 401)))}
    return [
        _file("aC33NorthernPeaksVb8Qi", "Northern peaks", POSTERS, {"A2": _tall("Peak one", "Peak two")}),
        _file(
            "mT91LighthouseXs4Ok7Pw", "Lighthouse", POSTERS, {"A3": _tall("Lighthouse")}, drafts=_tall("Storm", "Calm")
        ),
        _file("uY46OrchardSeries2Zl9F", "Orchard series", POSTERS, orchard),
        _file("qL08EverythingArchiveH", "Everything since 2019", POSTERS, archive, heavy=True),
    ]


def _brand() -> list[Document]:
    logo = {"Logo": [frame("Logo", 800, 800), *_wide("Banner")]}
    return [
        _file("eN52LogoAndColours3Rvt", "Logo and colours", BRAND, logo),
        _file("jX67WhiteboardPlan5Kds", "Autumn planning", BRAND, {"Board": _wide("Plan")}, editorType="figjam"),
        _file("kS80SlidesForFair1Uwqe", "Slides for the fair", BRAND, {"Deck": _wide("Title")}, editorType="slides"),
        _file("vO19OldLogo2019Ac6Bnmz", "Old logo", OLD_BRAND, {"Logo": [frame("Old logo", 800, 800)]}),
    ]


def _free() -> list[Document]:
    return [_file("wP24FreePlanSketch9Eio", "Sketches at home", SKETCHES, {"Page 1": _square("Fox", "Moth")})]


def _square(*names: str) -> list[Document]:
    return [frame(name, *SQUARE) for name in names]


def _tall(*names: str) -> list[Document]:
    return [frame(name, 900, 1200) for name in names]


def _wide(*names: str) -> list[Document]:
    return [frame(name, 1600, 900) for name in names]


def _file(key: str, name: str, folder: str, pages: dict[str, list[Document]], **odd: object) -> Document:
    """A stored file; `drafts` are frames that lie in a section of its first page."""
    stored: list[Document] = [{"name": title, "frames": frames} for title, frames in pages.items()]
    if "drafts" in odd:
        stored[0]["sections"] = [{"name": "Drafts", "frames": odd.pop("drafts")}]
    day = 1 + sum(key.encode()) % 28
    return {
        "key": key,
        "name": name,
        "folder": folder,
        "editorType": "figma",
        "version": str(2_100_000_000 + sum(key.encode()) * 9973),
        "lastModified": f"2026-10-{day:02d}T09:{day:02d}:00Z",
        "creator": ADA.email,
        "pages": stored,
        **odd,
    }
