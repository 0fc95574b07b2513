"""Records: bringing a page of external objects in, finding what has vanished, reading them again, editing them here.

What does not live here: fetching the page (`providers` through `client`) and the run around it (`runs`).
"""

from patchbay.records.bringing import Tally, has_versions, known_ids, meet, pass_over, stale, upsert
from patchbay.records.checkpoints import advance, begin_again, checkpoint, hand_over
from patchbay.records.reading import DELETED, Query, counts, get, page, swept

__all__ = [
    "DELETED",
    "Query",
    "Tally",
    "advance",
    "begin_again",
    "checkpoint",
    "counts",
    "get",
    "hand_over",
    "has_versions",
    "known_ids",
    "meet",
    "page",
    "pass_over",
    "stale",
    "swept",
    "upsert",
]
