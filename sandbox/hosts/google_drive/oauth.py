"""Google's OAuth 2 server: consent, codes, tokens, refresh, revocation and the OpenID userinfo.

Sources: Google Identity "Using OAuth 2.0 for Web Server Applications" and "OpenID Connect" (read 2026-11), and the
provider notes §4.1. What the tokens open is decided in `access`.
"""

from collections.abc import Mapping

from werkzeug.wrappers import Request, Response

from sandbox.consent import Ask, Scope, back_to_app, consent_page, decide, refusal_page
from sandbox.grants import Code, Grant, GrantRefused, Grants, is_loopback_redirect
from sandbox.hosts.google_drive import access
from sandbox.hosts.google_drive.identity import ISSUER, signed
from sandbox.hosts.google_drive.people import PEOPLE, Person, person
from sandbox.hosts.google_drive.refusals import as_json
from sandbox.platform import ControlRefused, refuse_unknown
from sandbox.store import Document, Store

ACCESS_LIFETIME_S = 3599
_EMAIL = "https://www.googleapis.com/auth/userinfo.email"
_PROFILE = "https://www.googleapis.com/auth/userinfo.profile"
_FULL_NAMES = {"email": _EMAIL, "profile": _PROFILE}
_LABELS = {
    "openid": "Know who you are",
    _EMAIL: "See your e-mail address",
    _PROFILE: "See your name and picture",
    access.PER_FILE: "See, change and make only the files that you use with this app",
    access.FULL: "See, change, make and delete all your files",
    access.READ_ONLY: "See and download all your files",
    access.METADATA: "See and change information about your files",
    access.METADATA_READ_ONLY: "See information about your files",
}
_SIGN_IN = frozenset({"openid", _EMAIL, _PROFILE})
DEFAULT_SCOPES = (access.PER_FILE, "openid", _EMAIL, _PROFILE)


class OAuthServer:
    """The hosts accounts.google.com, oauth2.googleapis.com and openidconnect.googleapis.com."""

    def __init__(self, store: Store, grants: Grants) -> None:
        self._store = store
        self._grants = grants

    def authorize(self, request: Request) -> Response:
        """The consent page, or the redirect that follows from it."""
        terms = request.args
        app = self._grants.apps.get(terms.get("client_id", ""))
        if app is None:
            return _blocked("Error 401: invalid_client", "The OAuth client was not found.", 401)
        if not is_loopback_redirect(terms.get("redirect_uri", "")):
            return _blocked("Error 400: redirect_uri_mismatch", "The app sent a redirect address it never registered.")
        problem = _problem_of(terms)
        if problem is not None:
            return _blocked(*problem)
        scopes = expanded(terms.get("scope", ""))
        ask = Ask(
            "Google",
            app.name,
            [Scope(scope, _LABELS[scope], is_refusable=scope not in _SIGN_IN) for scope in scopes],
            [(each.email, f"{each.name} ({each.email})") for each in _people_for(terms.get("login_hint"))],
        )
        if "none" in terms.get("prompt", "").split():
            return self._answer_silently(terms, ask)
        decision = decide(request, ask)
        if decision is None:
            return consent_page(ask)
        if not decision.is_allowed or not decision.scopes:
            return _back(terms, {"error": "access_denied"})
        return self._allowed(terms, decision.account, decision.scopes)

    def token(self, request: Request) -> Response:
        """The token endpoint; errors are flat, unlike those of the API."""
        form = request.form
        if request.method != "POST":
            return _flat_error("invalid_request", "The token endpoint takes POST.", 405)
        try:
            grant_type = form.get("grant_type", "")
            if grant_type not in ("authorization_code", "refresh_token"):
                raise GrantRefused("unsupported_grant_type", f"Invalid grant_type: {grant_type}")
            app = self._grants.authenticate(*_client_of(request))
            if grant_type == "refresh_token":
                token = self._grants.live_refresh(form.get("refresh_token", ""), app)
                return _token_answer(self._token_body(self._grants.grant_of(token)))
            grant = self._grants.redeem(
                form.get("code", ""), app, form.get("redirect_uri", ""), form.get("code_verifier")
            )
            return _token_answer(self._first_tokens(grant))
        except GrantRefused as refusal:
            return _flat_error(refusal.error, refusal.description, 401 if refusal.error == "invalid_client" else 400)

    def revoke(self, request: Request) -> Response:
        """Ends what the user allowed the app, all its tokens included; 400 when that is over already."""
        if request.method != "POST":
            return _flat_error("invalid_request", "The revocation endpoint takes POST.", 405)
        text = request.form.get("token") or request.args.get("token", "")
        token = self._grants.find(text)
        if token is None or not self._grants.is_live(token):
            return _flat_error("invalid_token", "Token expired or revoked", 400)
        grant = self._grants.grant_of(token)
        self._grants.revoke_account(grant.client_id, grant.account)
        self._store.delete("consents", f"{grant.client_id}/{grant.account}")
        return as_json({})

    def userinfo(self, request: Request) -> Response:
        """The OpenID claims that the scopes open."""
        token = access.bearer_token(request)
        grant = self._grants.live_access(token) if token else None
        if grant is None:
            return _flat_error("invalid_request", "Invalid Credentials", 401)
        if not _SIGN_IN & set(grant.scopes):
            return _flat_error("insufficient_scope", "The token has none of openid, email and profile.", 403)
        return as_json(claims_of(Person(grant.account), grant.scopes))

    def issue(self, wanted: Document) -> Document:
        """The answer of the token endpoint without a walk through the consent; raises ControlRefused."""
        refuse_unknown(wanted, "scopes", "account")
        known = person(wanted.get("account") or PEOPLE[0].email)
        if known is None:
            raise ControlRefused("account must be an e-mail address")
        scopes = wanted.get("scopes") or list(DEFAULT_SCOPES)
        listed = scopes.split() if isinstance(scopes, str) else scopes
        if not isinstance(listed, list) or not all(isinstance(each, str) for each in listed):
            raise ControlRefused("scopes must be a text or a list of texts")
        full = expanded(" ".join(listed))
        if not full or any(scope not in _LABELS for scope in full):
            raise ControlRefused("scopes names a scope that the platform does not know")
        grant = self._grants.new_grant(next(iter(self._grants.apps)), known.email, full, {"access_type": "offline"})
        self._remember(grant)
        return self._token_body(grant) | {"refresh_token": self._grants.issue(grant, "refresh", None, "1//0")}

    def forget_consents(self) -> None:
        """Every app must ask every user again."""
        self._store.clear("consents")

    def _answer_silently(self, terms: Mapping[str, str], ask: Ask) -> Response:
        account = ask.accounts[0][0]
        allowed = self._store.get("consents", f"{terms['client_id']}/{account}")
        scopes = tuple(scope.value for scope in ask.scopes)
        if allowed is None or not set(scopes) <= set(allowed["scopes"]):
            return _back(terms, {"error": "interaction_required"})
        return self._allowed(terms, account, scopes)

    def _allowed(self, terms: Mapping[str, str], account: str, scopes: tuple[str, ...]) -> Response:
        if terms.get("include_granted_scopes") == "true":
            before = self._store.get("consents", f"{terms['client_id']}/{account}") or {"scopes": []}
            scopes = tuple(dict.fromkeys([*scopes, *before["scopes"]]))
        code = Code(
            terms["client_id"],
            terms["redirect_uri"],
            account,
            scopes,
            terms.get("code_challenge") or None,
            terms.get("code_challenge_method", "plain"),
            {name: terms[name] for name in ("access_type", "prompt", "nonce") if name in terms},
        )
        text = self._grants.new_code(code, "4/0A")
        return _back(
            terms, {"code": text, "scope": " ".join(scopes), "authuser": "0", "prompt": terms.get("prompt", "consent")}
        )

    def _first_tokens(self, grant: Grant) -> Document:
        """A refresh token only for offline access, and only at the first consent or when consent was asked anew."""
        is_first = self._store.get("consents", f"{grant.client_id}/{grant.account}") is None
        self._remember(grant)
        body = self._token_body(grant)
        asked_anew = "consent" in grant.extra.get("prompt", "").split()
        if grant.extra.get("access_type") == "offline" and (is_first or asked_anew):
            body["refresh_token"] = self._grants.issue(grant, "refresh", None, "1//0")
        return body

    def _remember(self, grant: Grant) -> None:
        key = f"{grant.client_id}/{grant.account}"
        before = self._store.get("consents", key) or {"scopes": []}
        self._store.put("consents", key, {"scopes": list(dict.fromkeys([*before["scopes"], *grant.scopes]))})

    def _token_body(self, grant: Grant) -> Document:
        access_s = self._grants.access_s(ACCESS_LIFETIME_S)
        access_token = self._grants.issue(grant, "access", access_s, "ya29.a0")
        body: Document = {
            "access_token": access_token,
            "expires_in": access_s,
            "scope": " ".join(grant.scopes),
            "token_type": "Bearer",
        }
        if "openid" in grant.scopes:
            claims = claims_of(Person(grant.account), grant.scopes)
            body["id_token"] = signed(claims, grant.client_id, access_token, grant.extra.get("nonce"))
        return body


def expanded(text: str) -> tuple[str, ...]:
    """The scopes of a text under their full names, as Google answers them."""
    return tuple(dict.fromkeys(_FULL_NAMES.get(scope, scope) for scope in text.split()))


def claims_of(who: Person, scopes: tuple[str, ...]) -> Document:
    """OpenID claims by scope."""
    claims: Document = {"sub": who.subject}
    if _PROFILE in scopes:
        given, _, family = who.name.partition(" ")
        claims |= {"name": who.name, "given_name": given, "picture": who.photo}
        if family:
            claims["family_name"] = family
    if _EMAIL in scopes:
        claims |= {"email": who.email, "email_verified": True}
    return claims


def _problem_of(terms: Mapping[str, str]) -> tuple[str, str] | None:
    if terms.get("response_type") != "code":
        return "Error 400: invalid_request", "The parameter response_type must be code."
    scopes = expanded(terms.get("scope", ""))
    if not scopes:
        return "Error 400: invalid_request", "Missing required parameter: scope"
    if any(scope not in _LABELS for scope in scopes):
        return "Error 400: invalid_scope", "Some requested scopes were invalid."
    if terms.get("access_type", "online") not in ("online", "offline"):
        return "Error 400: invalid_request", "Invalid parameter value for access_type"
    if terms.get("code_challenge") and terms.get("code_challenge_method", "plain") not in ("S256", "plain"):
        return "Error 400: invalid_request", "Invalid parameter value for code_challenge_method"
    return None


def _people_for(hint: str | None) -> list[Person]:
    """The accounts to choose from, the hinted one first."""
    hinted = person(hint) if hint else None
    return ([hinted] if hinted else []) + [each for each in PEOPLE if each != hinted]


def _client_of(request: Request) -> tuple[str, str]:
    """Client id and secret, from the body or from Basic credentials."""
    basic = request.authorization
    if basic is not None and basic.type == "basic":
        return basic.username or "", basic.password or ""
    return request.form.get("client_id", ""), request.form.get("client_secret", "")


def _back(terms: Mapping[str, str], answer: dict[str, str]) -> Response:
    """The redirect to the app; Google names itself, and the state first."""
    state = {"state": terms["state"]} if "state" in terms else {}
    return back_to_app(terms, state | {"iss": ISSUER} | answer)


def _blocked(error: str, text: str, status: int = 400) -> Response:
    return refusal_page("Google", error, text, status)


def _token_answer(body: Document) -> Response:
    response = as_json(body)
    response.headers["Pragma"] = "no-cache"
    return response


def _flat_error(error: str, description: str, status: int) -> Response:
    return as_json({"error": error, "error_description": description}, status)
