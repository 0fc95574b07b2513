"""Examining an installation: is all that it stands on as it should be, and if not, what is to be done.

It changes nothing, works while Patchbay runs and while it does not, and asks each thing by itself: one that is broken
keeps no other from being examined. How single connections are lives in `patchbay.health`.
"""

from collections.abc import Callable, Iterator

from sqlalchemy.exc import SQLAlchemyError

from patchbay.doctor import database, home, outside, processes, secrets
from patchbay.doctor.finding import Finding, Level
from patchbay.models import db
from patchbay.redaction import redact_text
from patchbay.settings import Settings

__all__ = ["EXAMINATIONS", "Examination", "Finding", "Level", "examine"]

Examination = Callable[[Settings], Iterator[Finding]]

EXAMINATIONS: tuple[tuple[str, Examination], ...] = (
    ("home", home.folder),
    ("keys", home.keys),
    ("disk", home.room),
    ("database", database.reached),
    ("schema", database.migrated),
    ("integrity", database.sound),
    ("isolation", database.isolated),
    ("secrets", secrets.opened),
    ("ports", processes.listening),
    ("redis", processes.redis),
    ("workers", processes.signs_of_life),
    ("public address", outside.public_address),
    ("redirects", outside.redirects),
    ("sandbox", outside.sandbox),
    ("mail", outside.mail),
    ("clock", outside.clock_right),
)


def examine(here: Settings) -> Iterator[Finding]:
    """All findings, one examination after another; needs an application context."""
    for name, examination in EXAMINATIONS:
        try:
            for finding in examination(here):
                yield finding.about(name)
        except SQLAlchemyError as error:
            said = f"could not be examined: the database refuses ({type(error).__name__})"
            yield Finding(Level.FAIL, said, "see what stands above of database and schema", name)
        except Exception as error:  # noqa: BLE001 - whatever is broken, the rest is still to be examined
            yield Finding(
                Level.FAIL, f"could not be examined ({type(error).__name__}: {redact_text(str(error))})", "", name
            )
        finally:
            db.session.rollback()  # what one examination read or broke is none of the next one's business
