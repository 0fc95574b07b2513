"""How the installation and its connections are: signs of life, statistics of calls and runs, what state each is in.

What is shown of it lives in `blueprints.health`; whether the installation itself is sound, in `patchbay.doctor`.
"""

from patchbay.health.ageing import age
from patchbay.health.calls import CallLog
from patchbay.health.signs import beat, beat_quietly, checks

__all__ = ["CallLog", "age", "beat", "beat_quietly", "checks"]
