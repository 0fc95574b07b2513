"""Shared limits: one budget per account for all workers, and breakers that leave a failing platform alone.

What platforms promise is declared in `patchbay.spec.throttle`; the waiting itself is done by `patchbay.client`.
"""

from patchbay.limits import breakers
from patchbay.limits.budgets import Key, Permit, abandon, forget_here, of, reserve, settle
from patchbay.limits.headroom import Headroom, headrooms

__all__ = [
    "Headroom",
    "Key",
    "Permit",
    "abandon",
    "breakers",
    "forget_here",
    "headrooms",
    "of",
    "reserve",
    "settle",
]
