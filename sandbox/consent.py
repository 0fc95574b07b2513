"""The consent page that platforms share, the answer a person (or a script) gives on it, and the way back to the app.

What follows from the answer (code, error words) is each platform's own matter.
"""

from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from urllib.parse import urlencode, urlsplit, urlunsplit

from werkzeug.wrappers import Request, Response

from sandbox.pages import html_page


@dataclass(frozen=True, slots=True)
class Scope:
    """A scope in the platform's words and in plain ones; `is_refusable` where the platform lets the user untick it."""

    value: str
    label: str
    is_refusable: bool = False


@dataclass(frozen=True, slots=True)
class Ask:
    """What the consent page asks; `accounts` are (value, label), the first is preselected, one only shows its label."""

    platform_name: str
    app_name: str
    scopes: Sequence[Scope]
    accounts: Sequence[tuple[str, str]]


@dataclass(frozen=True, slots=True)
class Decision:
    """What was answered; `scopes` are the granted values in the order asked, empty when refused."""

    is_allowed: bool
    account: str
    scopes: tuple[str, ...]


def decide(request: Request, ask: Ask) -> Decision | None:
    """The answer in the request: `sandbox_consent` in the query, or the posted form; None when there is none yet."""
    everything = tuple(scope.value for scope in ask.scopes)
    first_account = ask.accounts[0][0]
    at_once = request.args.get("sandbox_consent")
    if at_once in ("allow", "deny"):
        allowed = at_once == "allow"
        return Decision(allowed, first_account, everything if allowed else ())
    if request.method != "POST" or request.form.get("decision") not in ("allow", "deny"):
        return None
    account = request.form.get("account", first_account)
    if account not in {value for value, _ in ask.accounts}:
        return None
    if request.form["decision"] == "deny":
        return Decision(False, account, ())
    ticked = set(request.form.getlist("scope"))
    granted = tuple(scope.value for scope in ask.scopes if not scope.is_refusable or scope.value in ticked)
    return Decision(True, account, granted)


def consent_page(ask: Ask) -> Response:
    """The page with the form; it posts to its own address, so that the query of the authorize call stays."""
    return html_page("consent.html", ask=ask)


def refusal_page(platform_name: str, error: str, text: str, status: int = 400) -> Response:
    """The page a platform shows when it must not redirect: unknown app, foreign redirect address."""
    return html_page("refusal.html", status=status, platform_name=platform_name, error=error, text=text)


def back_to_app(terms: Mapping[str, str], answer: Mapping[str, str]) -> Response:
    """The redirect to the app with the answer and its own `state` behind it (RFC 6749 §4.1.2); `terms` are those of the
    authorize call. What the redirect address has of a query is kept.
    """
    parts = urlsplit(terms["redirect_uri"])
    own = urlencode({**answer, **({"state": terms["state"]} if "state" in terms else {})})
    query = f"{parts.query}&{own}" if parts.query else own
    return Response(status=302, headers={"Location": urlunsplit(parts._replace(query=query))})
