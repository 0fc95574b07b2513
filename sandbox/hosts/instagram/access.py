"""Who calls Instagram's API: the account and app behind a token, its scopes, and what was granted.

How tokens come about is in `oauth`.
"""

from dataclasses import dataclass
from typing import Final

from werkzeug.wrappers import Request

from sandbox.grants import Grants
from sandbox.graph_api import GraphRefused, demand_live, token_text, unreadable_token
from sandbox.hosts.instagram.accounts import Account, by_username

BASIC: Final = "instagram_business_basic"
PUBLISH: Final = "instagram_business_content_publish"
LABELS: Final = {
    BASIC: "See your profile and your posts",
    PUBLISH: "Publish posts for you",
    "instagram_business_manage_comments": "Read and answer comments",
    "instagram_business_manage_messages": "Read and answer messages",
    "instagram_business_manage_insights": "See the figures of your posts",
}


@dataclass(frozen=True, slots=True)
class Caller:
    """An account, through an app, with the scopes granted; `hub` is the origin that the app came from."""

    account: Account
    client_id: str
    scopes: frozenset[str]
    hub: str

    def demand(self, scope: str) -> None:
        """Raise the 403 of a token that lacks a permission."""
        if scope not in self.scopes:
            message = f"(#10) Application does not have permission for this action: {scope}"
            raise GraphRefused(10, message, status=403)


def caller_of(request: Request, grants: Grants) -> Caller:
    """Who calls; raises GraphRefused 190 for a token that is none, ended or no longer allowed."""
    text = token_text(request)
    if not text:
        raise unreadable_token()
    grant = grants.grant_of(demand_live(grants, grants.find(text)))
    account = by_username(grant.account)
    if account is None:
        raise unreadable_token()
    return Caller(account, grant.client_id, frozenset(grant.scopes), grant.extra.get("hub", ""))
