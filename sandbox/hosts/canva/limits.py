"""How often an app may call, for one user: by operation and minute, and for exports over longer windows too.

Sources: the rate of each operation and the note of "Create design export job" in the REST reference (read 2026-11-21).
No header tells a client how much is left.
"""

import threading
import time
from collections import deque

from sandbox.hosts.canva.access import Caller
from sandbox.hosts.canva.refusals import too_many

MINUTE_S = 60.0
_FIVE_MINUTES_S = 300.0
_DAY_S = 86_400.0

PER_MINUTE = {
    "listDesigns": 100,
    "getDesign": 100,
    "getDesignExportFormats": 100,
    "createDesignExportJob": 20,
    "getDesignExportJob": 120,
    "createAssetUploadJob": 30,
    "getAssetUploadJob": 180,
    "getAsset": 100,
    "updateAsset": 30,
    "deleteAsset": 30,
    "listFolderItems": 100,
    "usersMe": 10,
    "getUserProfile": 10,
}


class Limits:
    """Sliding windows, kept in memory only: a restart begins them anew."""

    def __init__(self) -> None:
        self._calls: dict[tuple[str, ...], deque[float]] = {}
        self._lock = threading.Lock()

    def clear(self) -> None:
        """Forget all calls."""
        with self._lock:
            self._calls.clear()

    def count(self, operation: str, caller: Caller) -> None:
        """Note a call; raises CanvaRefused 429 when there were too many in this minute."""
        if not self._fits((operation, caller.client_id, caller.email), PER_MINUTE[operation], MINUTE_S):
            raise too_many(f"requests to {operation}")

    def count_export(self, design_id: str, caller: Caller) -> None:
        """Note an export; raises CanvaRefused 429 naming whose limit it is."""
        windows = (
            (("client", caller.client_id), 750, _FIVE_MINUTES_S, "export requests for client"),
            (("client-day", caller.client_id), 5_000, _DAY_S, "daily export requests for client"),
            (("user", caller.client_id, caller.email), 75, _FIVE_MINUTES_S, "export requests for user"),
            (("user-day", caller.client_id, caller.email), 500, _DAY_S, "daily export requests for user"),
            (("design", design_id), 75, _FIVE_MINUTES_S, "export requests for design"),
        )
        for key, most, window_s, what in windows:
            if not self._fits(key, most, window_s):
                raise too_many(what)

    def use_up_exports(self, caller_email: str, client_id: str) -> None:
        """Spend what a user may export today."""
        with self._lock:
            self._calls["user-day", client_id, caller_email] = deque([time.monotonic()] * 500)

    def _fits(self, key: tuple[str, ...], most: int, window_s: float) -> bool:
        now = time.monotonic()
        with self._lock:
            calls = self._calls.setdefault(key, deque())
            while calls and calls[0] <= now - window_s:
                calls.popleft()
            if len(calls) >= most:
                return False
            calls.append(now)
            return True
