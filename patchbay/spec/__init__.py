"""The words a provider is written in: frozen dataclasses and protocols, the standard library and nothing else.

What makes these words happen lives in `patchbay.client`, `patchbay.oauth` and `patchbay.runs`.
"""

from patchbay.spec.api import Answer, Api, Picture, Request
from patchbay.spec.auth import (
    Auth,
    ClientCredentials,
    Grace,
    Handover,
    Keys,
    OAuth2,
    Reuse,
    Scope,
    SignedCallback,
    TokenCall,
)
from patchbay.spec.faults import (
    Fault,
    Meaning,
    Remedy,
    Rule,
    Whose,
    Work,
    classify,
    retry_after_s,
    wait_in,
    wait_told_s,
)
from patchbay.spec.field import Field, Kind, Pick, check, is_asked
from patchbay.spec.paging import by_cursor
from patchbay.spec.partly import one_of_several
from patchbay.spec.presence import which_exist
from patchbay.spec.product import PRODUCT_TEXTS
from patchbay.spec.provider import (
    ASKED_AT_ONCE,
    ASKED_SINGLY,
    Account,
    Action,
    Category,
    Changes,
    EditRule,
    Import,
    Item,
    Operation,
    Outline,
    Page,
    Provider,
    Setup,
    Status,
)
from patchbay.spec.throttle import Budget, CountedBy, Throttle, Window

__all__ = [
    "ASKED_AT_ONCE",
    "ASKED_SINGLY",
    "PRODUCT_TEXTS",
    "Account",
    "Action",
    "Answer",
    "Api",
    "Auth",
    "Budget",
    "Category",
    "Changes",
    "ClientCredentials",
    "CountedBy",
    "EditRule",
    "Fault",
    "Field",
    "Grace",
    "Handover",
    "Import",
    "Item",
    "Keys",
    "Kind",
    "Meaning",
    "OAuth2",
    "Operation",
    "Outline",
    "Page",
    "Pick",
    "Picture",
    "Provider",
    "Remedy",
    "Request",
    "Reuse",
    "Rule",
    "Scope",
    "Setup",
    "SignedCallback",
    "Status",
    "Throttle",
    "TokenCall",
    "Whose",
    "Window",
    "Work",
    "by_cursor",
    "check",
    "classify",
    "is_asked",
    "one_of_several",
    "retry_after_s",
    "wait_in",
    "wait_told_s",
    "which_exist",
]
