"""Speaking to a platform on behalf of a connection: token, throttle, request, verdict, retry.

What an operation says lives in `providers`; what an answer means is declared there in the words of `spec.faults`.
"""

import hashlib
import hmac
import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field, replace
from datetime import timedelta
from typing import Any, TypeVar

import msgspec

from patchbay import clock, credentials, limits, net, providers, settings, tokens
from patchbay.client import addresses
from patchbay.client.watch import Unwatched, Watch
from patchbay.credentials import AppCredentials
from patchbay.errors import (
    N_,
    CredentialsRefused,
    NetworkError,
    NotFoundThere,
    OutcomeUnknown,
    PatchbayError,
    PlatformError,
    ProviderUnavailable,
    PublicAddressNeeded,
    QuotaFull,
    RateLimited,
    ScopeMissing,
    SetupWrong,
    UnexpectedShape,
    storable,
)
from patchbay.models import Connection, db
from patchbay.redaction import MASK, redact_text
from patchbay.spec import Answer, Fault, Meaning, OAuth2, Picture, Provider, Request, classify

__all__ = ["Client", "Unwatched", "Watch", "of_connection"]

T = TypeVar("T")

TRIES = 4
LONGEST_PAUSE_S = 5.0
FIRST_BACKOFF_S = 0.4
SHORTEST_SECRET = 8  # shorter ones stand in words by chance
LONGEST_WAIT_S = 31 * 24 * 3600  # Figma counts the dearest calls of some seats by the month

_KINDS: Mapping[Meaning, type[PatchbayError]] = {
    Meaning.SCOPE_MISSING: ScopeMissing,
    Meaning.NOT_FOUND: NotFoundThere,
    Meaning.UNAVAILABLE: ProviderUnavailable,
    Meaning.FULL: QuotaFull,
    Meaning.SETUP_WRONG: SetupWrong,
}


def of_connection(connection: Connection, *, doing: str = "", stream: str = "", watch: Watch | None = None) -> "Client":
    """The client that speaks for a connection, with the app's credentials as they are now.

    An app of the sandbox has no part in a live connection, nor a live app in one of the sandbox.
    """
    provider = providers.get(connection.integration_id)
    app = credentials.find(provider, connection.settings)
    return Client(
        provider=provider,
        app=app if app is not None and app.is_sandbox == connection.is_sandbox else None,
        settings=connection.settings,
        is_sandbox=connection.is_sandbox,
        source=tokens.StoredToken(connection.id),
        budget_key=connection.id,
        account=connection.account_id,
        watch=watch or Unwatched(),
        doing=doing,
        stream=stream,
    )


@dataclass
class Client:
    """The `Api` of one connection. `budget_key` names whose budget is spent; `doing` completes "while we were …"."""

    provider: Provider
    app: AppCredentials | None
    settings: Mapping[str, Any]
    is_sandbox: bool
    source: tokens.TokenSource
    budget_key: str
    account: str = ""
    watch: Watch = field(default_factory=Unwatched)
    doing: str = ""
    stream: str = ""

    def send(self, request: Request) -> Answer:
        """Send one request; see `spec.Api.send`."""
        url = addresses.filled(self.provider, request.url, self.settings)
        token = self.source.fresh() if request.with_token else None
        refreshed = False
        for attempt in range(1, TRIES + 1):
            self.watch.check()
            self._wait_for_budget(request)
            try:
                answer = self._exchange(request, url, token)
            except NetworkError as error:
                self._after_lost(request, error, attempt)
                continue
            fault = None if request.accepts(answer) else classify(self.provider.faults, answer)
            if fault is None:
                return answer
            if fault.meaning is Meaning.TOKEN_EXPIRED and token is not None and not (refreshed or request.token):
                token, refreshed = self._replaced(token), True
                continue
            self._after_fault(request, self._without_secrets(fault, request, token), answer, attempt)
        raise NetworkError("no try was left", provider=self.provider.name)

    def read(self, answer: Answer, shape: type[T]) -> T:
        """The answer's JSON as `shape`; the error names provider, stream and the path that does not fit."""
        try:
            return msgspec.json.decode(answer.body, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError, RecursionError) as error:
            place = f"{self.provider.key}/{self.stream}" if self.stream else self.provider.key
            raise UnexpectedShape(f"{place}: {error}", provider=self.provider.name) from None

    def picture(self, address: str) -> Picture:
        """The picture behind `address`."""
        return self.watch.picture(address)

    def public_address(self, address: str, content_type: str = "") -> str:
        """See `spec.Api.public_address`; the sandbox is on this machine and reaches whatever we serve."""
        shared = self.watch.public_address(address, content_type)
        here = settings.current()
        if shared.startswith(f"{here.public_url}/") and not (self.is_sandbox or here.is_public):
            raise PublicAddressNeeded("PUBLIC_URL is no public https address", provider=self.provider.name)
        return shared

    def keep(self, content: bytes, filename: str) -> Mapping[str, Any]:
        """See `spec.Api.keep`."""
        return self.watch.keep(content, filename)

    def remember(self, name: str, make: Callable[[], T]) -> T:
        """See `spec.Api.remember`."""
        value: T = self.watch.remember(name, make)
        return value

    def forget(self, name: str) -> None:
        """See `spec.Api.forget`."""
        self.watch.forget(name)

    def progress(self, done: int, total: int | None) -> None:
        """See `spec.Api.progress`."""
        self.watch.progress(done, total)

    def log(self, message: str, **params: str | int) -> None:
        """See `spec.Api.log`."""
        self.watch.log("info", message, **params)

    def pause(self, seconds: float) -> None:
        """Sleep in slices, so that a cancelled run stops soon."""
        until = time.monotonic() + seconds
        while (left := until - time.monotonic()) > 0:
            self.watch.check()
            time.sleep(min(left, 0.5))

    def _replaced(self, refused: tokens.Token) -> tokens.Token:
        try:
            return self.source.replaced(refused)
        except CredentialsRefused as error:
            words = {"provider": self.provider.name, "action": self.doing}
            raise CredentialsRefused(error.detail, **words) from None

    def _exchange(self, request: Request, url: str, token: tokens.Token | None) -> Answer:
        headers, params = dict(request.headers), dict(request.params)
        if token is not None:
            secret = request.token or token.value
            headers |= self._app_headers(secret)
            params |= self._proof(secret)
        addresses.check_host(self.provider, url, self.settings, with_token=token is not None)
        if db.session().in_transaction():
            db.session.commit()  # no transaction stays open across a request
        outgoing = net.Outgoing(
            request.method,
            url,
            params=params,
            headers=headers,
            content=request.content,
            json=request.json,
            form=request.form,
            files=[
                net.FilePart(field=name, filename=part[0], content=part[1], content_type=part[2])
                for name, part in (request.files or {}).items()
            ],
        )
        reply = net.current().send(outgoing, sandboxed_hosts=self.provider.hosts if self.is_sandbox else ())
        answer = Answer(reply.status, {name.lower(): text for name, text in reply.headers.items()}, reply.body, url)
        if self.provider.throttle is not None and (budget := self.provider.throttle.read(answer)) is not None:
            limits.note(self.budget_key, budget)
        return answer

    def _app_headers(self, secret: str) -> dict[str, str]:
        if self.provider.auth is None:
            return {}
        client_id, client_secret = (self.app.client_id, self.app.client_secret) if self.app else ("", "")
        return self.provider.auth.headers(secret, client_id=client_id, client_secret=client_secret)

    def _proof(self, secret: str) -> dict[str, str]:
        """Meta's `appsecret_proof`: it shows that whoever holds the token holds the app's secret too."""
        auth = self.provider.auth
        if not isinstance(auth, OAuth2) or not auth.proof_parameter or self.app is None:
            return {}
        proof = hmac.new(self.app.client_secret.encode(), secret.encode(), hashlib.sha256).hexdigest()
        return {auth.proof_parameter: proof}

    def _wait_for_budget(self, request: Request) -> None:
        if self.provider.throttle is None or not request.with_token:
            return
        wait_s = limits.wait_s(self.budget_key)
        if wait_s > LONGEST_PAUSE_S:
            raise self._rate_limited(wait_s, "the budget is spent")
        if wait_s > 0:
            self.pause(wait_s)

    def _after_lost(self, request: Request, error: NetworkError, attempt: int) -> None:
        """No answer came: repeat what may be repeated, else say that nobody knows."""
        if not request.may_repeat:
            raise OutcomeUnknown(error.detail, provider=self.provider.name) from None
        if attempt == TRIES:
            raise NetworkError(error.detail, provider=self.provider.name) from None
        message = N_("No answer from %(provider)s; trying again.")
        self.watch.log("warning", message, provider=self.provider.name)
        self.pause(_backoff_s(attempt))

    def _after_fault(self, request: Request, fault: Fault, answer: Answer, attempt: int) -> None:
        """Wait when the fault passes and the request may be repeated, else raise what it means."""
        if fault.meaning is Meaning.THROTTLED:
            wait_s = fault.wait_s if fault.wait_s is not None else _backoff_s(attempt + 1)
            if wait_s > LONGEST_PAUSE_S or attempt == TRIES:
                raise self._rate_limited(max(wait_s, LONGEST_PAUSE_S), fault.text)
            self.watch.log("info", N_("%(provider)s asks us to slow down."), provider=self.provider.name)
            self.pause(wait_s + random.uniform(0.05, 0.2))  # noqa: S311 - spreads retries, guards nothing
        elif fault.meaning is Meaning.UNAVAILABLE and request.may_repeat and attempt < TRIES:
            self.watch.log(
                "warning",
                N_("%(provider)s answered HTTP %(status)s; trying again."),
                provider=self.provider.name,
                status=answer.status,
            )
            self.pause(min(fault.wait_s or _backoff_s(attempt), LONGEST_PAUSE_S))
        else:
            raise self._meant(request, fault, answer)

    def _without_secrets(self, fault: Fault, request: Request, token: tokens.Token | None) -> Fault:
        """The fault in words that do not repeat what was sent to prove who we are."""
        pair = token.value.split(":") if token is not None else []  # keys are two, joined
        secrets = [*pair, request.token or "", self.app.client_secret if self.app else ""]
        text = fault.text
        for secret in sorted(secrets, key=len, reverse=True):  # one may begin with another
            text = text.replace(secret, MASK) if len(secret) >= SHORTEST_SECRET else text
        return replace(fault, text=storable(redact_text(text)))

    def _meant(self, request: Request, fault: Fault, answer: Answer) -> PatchbayError:
        detail = f"HTTP {answer.status} {fault.text}".strip()
        words = {"provider": self.provider.name, "action": self.doing}
        if fault.meaning is Meaning.TOKEN_EXPIRED and request.with_token:
            if request.token is None:  # of another's token nothing follows for the connection's own
                self.source.gave_up(detail)
            return CredentialsRefused(detail, **words)
        return _KINDS.get(fault.meaning, PlatformError)(detail, sentence=fault.says or None, **words)

    def _rate_limited(self, wait_s: float, detail: str) -> RateLimited:
        retry_at = clock.now() + timedelta(seconds=min(wait_s, LONGEST_WAIT_S))
        return RateLimited(detail, retry_at=retry_at, provider=self.provider.name)


def _backoff_s(attempt: int) -> float:
    """Full jitter over a doubling ceiling."""
    return random.uniform(0.1, FIRST_BACKOFF_S * 2**attempt)  # noqa: S311 - spreads retries, guards nothing
