"""How the installation and its connections are: signs of life, statistics of calls and runs, what state each is in.

What is shown of it lives in `blueprints.health`; whether the installation itself is sound, in `patchbay.doctor`.
"""

from patchbay.health.ageing import age
from patchbay.health.calls import CallLog
from patchbay.health.conditions import (
    AVAILABILITY_TARGET,
    FAILURES_TARGET,
    LONGEST_CALL_TARGET_MS,
    Condition,
    OperationHealth,
    of_connection,
    of_user,
    operations,
)
from patchbay.health.diagnostics import bundle
from patchbay.health.figures import Figures, Hour, Reached
from patchbay.health.signs import beat, beat_quietly, checks
from patchbay.health.states import Remedy, State, Verdict
from patchbay.limits import Headroom
from patchbay.limits.breakers import State as Circuit

__all__ = [
    "AVAILABILITY_TARGET",
    "FAILURES_TARGET",
    "LONGEST_CALL_TARGET_MS",
    "CallLog",
    "Circuit",
    "Condition",
    "Figures",
    "Headroom",
    "Hour",
    "OperationHealth",
    "Reached",
    "Remedy",
    "State",
    "Verdict",
    "age",
    "beat",
    "beat_quietly",
    "bundle",
    "checks",
    "of_connection",
    "of_user",
    "operations",
]
