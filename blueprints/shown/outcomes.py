"""How a connect ended, as its page shows it and as a program is told.

Which outcome it is gets decided in `patchbay.connections`.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

from blueprints.shown.integrations import missing_titles
from patchbay import connections, providers
from patchbay.connections import Outcome, Returned
from patchbay.errors import (
    N_,
    Conflict,
    ConnectionFailed,
    CredentialsRefused,
    Malformed,
    OAuthRefused,
    PatchbayError,
    SetupWrong,
    Unauthenticated,
)
from patchbay.models import Connection

NOT_VERIFIED = N_(
    "We could not verify this sign-in. It may have been started in another browser. Nothing was connected."
)
EXPIRED = N_("This sign-in took longer than 10 minutes and has expired.")
DENIED = N_("You did not approve access to %(provider)s, so nothing was connected.")
NOT_SIGNED_IN = N_("Sign in to Patchbay, then connect %(provider)s again.")
ACCOUNT_TAKEN = N_("This %(provider)s account is already connected by someone else here.")
KEYS_REFUSED = N_("%(provider)s does not accept what it was shown to open your account. Nothing was connected.")
OTHER_ACCOUNT = N_(
    "You were connected as %(before)s. Decide on the page of %(provider)s whether %(account)s replaces it."
)


@dataclass(frozen=True)
class Shown:
    """One outcome on its page. `missing` are message ids; `details` are (label, value) for "Technical details"."""

    kind: Outcome
    status: int
    account_label: str = ""
    previous_label: str = ""
    redirect_uri: str = ""
    missing: Sequence[str] = ()
    details: Sequence[tuple[str, str]] = field(default_factory=list)


def take(token: str, user_id: str | None, connection: Connection | None) -> Shown | None:
    """The outcome behind the token, for the one time that it is shown; None when there is nothing to say."""
    found = connections.outcome(token, user_id)
    if found is None or found.outcome == Outcome.ALREADY_DONE:
        return None
    params: Mapping[str, Any] = found.params
    kind = Outcome(found.outcome)
    return Shown(
        kind=kind,
        status=connections.HTTP_STATUS.get(kind, 200),
        account_label=params.get("account", ""),
        previous_label=params.get("before", ""),
        redirect_uri=params.get("redirect_uri", ""),
        missing=missing_titles(providers.get(connection.integration_id), connection) if connection else (),
        details=[
            (label, params[name]) for label, name in ((N_("Cause"), "reason"), (N_("Type"), "kind")) if name in params
        ],
    )


def problem(returned: Returned) -> PatchbayError | None:
    """The outcome as an error of the JSON shape; None when there is a working connection."""
    known = returned.integration_id
    named = {"provider": providers.get(known).name if known else "", **_words(returned.params)}
    refusals: Mapping[Outcome, PatchbayError] = {
        Outcome.DENIED: OAuthRefused(sentence=DENIED, **named),
        Outcome.NOT_VERIFIED: Malformed(sentence=NOT_VERIFIED),
        Outcome.EXPIRED: Malformed(sentence=EXPIRED),
        Outcome.NOT_SIGNED_IN: Unauthenticated(sentence=NOT_SIGNED_IN, **named),
        Outcome.SETUP_WRONG: SetupWrong(returned.params.get("reason", ""), **named),
        Outcome.FAILED: _failed(returned, named),
        Outcome.ACCOUNT_TAKEN: Conflict(sentence=ACCOUNT_TAKEN, **named),
        Outcome.OTHER_ACCOUNT: Conflict(sentence=OTHER_ACCOUNT, **named),
    }
    return refusals.get(returned.outcome)


def _failed(returned: Returned, named: Mapping[str, str]) -> PatchbayError:
    """Keys that the platform does not know are told apart from a connect that broke off."""
    reason = returned.params.get("reason", "")
    if returned.params.get("kind") == CredentialsRefused.__name__:
        return CredentialsRefused(reason, sentence=KEYS_REFUSED, **named)
    return ConnectionFailed(reason, **named)


def _words(params: Mapping[str, Any]) -> dict[str, str]:
    return {name: str(params[name]) for name in ("before", "account") if name in params}
