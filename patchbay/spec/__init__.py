"""The words a provider is written in: frozen dataclasses and protocols, the standard library and nothing else.

What makes these words happen lives in `patchbay.client`, `patchbay.oauth` and `patchbay.runs`.
"""

from patchbay.spec.api import Answer, Api, Picture, Request
from patchbay.spec.auth import Auth, Handover, Keys, OAuth2, Scope, SignedCallback, TokenCall
from patchbay.spec.faults import Fault, Meaning, Rule, classify, retry_after_s
from patchbay.spec.field import Field, Kind, Pick, check, is_asked
from patchbay.spec.paging import by_cursor
from patchbay.spec.provider import (
    Account,
    Action,
    Category,
    Changes,
    Import,
    Item,
    Operation,
    Outline,
    Page,
    Provider,
    Setup,
    Status,
)
from patchbay.spec.throttle import Budget, Throttle

__all__ = [
    "Account",
    "Action",
    "Answer",
    "Api",
    "Auth",
    "Budget",
    "Category",
    "Changes",
    "Fault",
    "Field",
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
    "Request",
    "Rule",
    "Scope",
    "Setup",
    "SignedCallback",
    "Status",
    "Throttle",
    "TokenCall",
    "by_cursor",
    "check",
    "classify",
    "is_asked",
    "retry_after_s",
]
