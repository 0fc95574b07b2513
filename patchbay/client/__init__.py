"""Speaking to a platform on behalf of a connection: token, throttle, request, verdict, retry.

What an operation says lives in `providers`; what an answer means is declared there in the words of `spec.faults`.
"""

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from typing import Any, TypeVar

import msgspec

from patchbay import credentials, providers, settings, tokens
from patchbay.client import addresses, verdicts
from patchbay.client.exchange import Line
from patchbay.client.once import Step
from patchbay.client.retries import TRIES, Budget, backoff_s, jitter_s
from patchbay.client.watch import LONGEST_PAUSE_S, Exchange, Kept, Unwatched, Watch, of_refresh, pause
from patchbay.credentials import AppCredentials
from patchbay.errors import (
    N_,
    CredentialsRefused,
    NetworkError,
    OutcomeUnknown,
    PatchbayError,
    Postponed,
    PublicAddressNeeded,
    UnexpectedShape,
)
from patchbay.models import Connection
from patchbay.spec import Answer, Fault, Meaning, Picture, Provider, Remedy, Request, Work

__all__ = ["Client", "Exchange", "Kept", "Unwatched", "Watch", "of_connection"]

T = TypeVar("T")


def of_connection(connection: Connection, *, doing: str = "", stream: str = "", watch: Watch | None = None) -> "Client":
    """The client that speaks for a connection, with the app's credentials as they are now.

    An app of the sandbox has no part in a live connection, nor a live app in one of the sandbox.
    """
    provider = providers.get(connection.integration_id)
    app, watch = credentials.find(provider, connection.settings), watch or Unwatched()
    return Client(
        provider=provider,
        app=app if app is not None and app.is_sandbox == connection.is_sandbox else None,
        settings=connection.settings,
        is_sandbox=connection.is_sandbox,
        source=tokens.StoredToken(connection.id, lambda call: watch.exchanged(of_refresh(call))),
        budget_key=connection.id,
        account=connection.account_id,
        watch=watch,
        doing=doing,
        stream=stream,
    )


@dataclass
class Client:
    """The `Api` of one connection, which `budget_key` names to limits; `doing` completes "while we were …"."""

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
    _step: Step | None = field(default=None, init=False, repr=False)

    def __post_init__(self) -> None:
        self._retries = Budget(f"{self.provider.key}:{'sandbox' if self.is_sandbox else 'live'}")

    def send(self, request: Request) -> Answer:
        """Send one request; see `spec.Api.send`."""
        url = addresses.filled(self.provider, request.url, self.settings)
        token = self.source.fresh() if request.with_token else None
        refreshed = False
        failed: PatchbayError | None = None
        self._retries.spend_request()
        for attempt in range(1, TRIES + 1):
            self.watch.check()
            if self._step is not None and not request.may_repeat:
                self._step.sending(request, url)
            try:
                answer, fault = self._line().exchange(request, url, token, attempt)
            except NetworkError as error:
                self._after_lost(request, error, attempt)
                failed = self._named(error)
                continue
            except Postponed:
                if failed is not None:
                    raise failed from None  # what stood in the way first; waiting for leave would hide it for ever
                raise
            if fault is None:
                self._leave_open(request)
                if token is not None and not (token.is_proved or request.token):
                    self.source.worked(token)
                return answer
            if fault.meaning is Meaning.TOKEN_EXPIRED and token is not None and not (refreshed or request.token):
                token, refreshed = self._replaced(token), True
                continue
            fault = verdicts.without_secrets(fault, self._secrets(request, token))
            self._after_fault(request, fault, answer, attempt)
            if fault.meaning is Meaning.UNAVAILABLE:
                failed = self._meant(request, fault, answer)
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

    def once(self, name: str, act: Callable[[], T], find: Callable[[], T | None] | None = None) -> T:
        """See `spec.Api.once`."""
        around, self._step = self._step, Step(self.watch, name, self.provider.name)
        try:
            value: T = self._step.carry_out(act, find)
        finally:
            self._step = around
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
        pause(self.watch, seconds)

    def _replaced(self, refused: tokens.Token) -> tokens.Token:
        try:
            return self.source.replaced(refused)
        except CredentialsRefused as error:
            words = {"provider": self.provider.name, "action": self.doing}
            raise CredentialsRefused(error.detail, **words) from None

    def _after_lost(self, request: Request, error: NetworkError, attempt: int) -> None:
        """No answer came: repeat what may be repeated, and what the platform cannot have heard; else nobody knows."""
        if error.was_sent and not request.may_repeat:
            self._leave_open(request)
            raise OutcomeUnknown(error.detail, provider=self.provider.name) from None
        if not self._may_retry(attempt):
            raise self._named(error) from None
        message = N_("No answer from %(provider)s; trying again.")
        self.watch.log("warning", message, provider=self.provider.name)
        self.pause(backoff_s(attempt))

    def _named(self, error: NetworkError) -> NetworkError:
        """The same for people: the door knows hosts, and not whose they are."""
        return type(error)(error.detail, was_sent=error.was_sent, provider=self.provider.name)

    def _after_fault(self, request: Request, fault: Fault, answer: Answer, attempt: int) -> None:
        """Wait when the fault passes and the request may be repeated, else raise what it means."""
        if fault.meaning is Meaning.THROTTLED:
            wait_s = fault.wait_s if fault.wait_s is not None else backoff_s(attempt + 1)
            if wait_s > LONGEST_PAUSE_S or not self._may_retry(attempt):
                raise verdicts.rate_limited(self.provider, max(wait_s, LONGEST_PAUSE_S), fault.text)
            self.watch.log("info", N_("%(provider)s asks us to slow down."), provider=self.provider.name)
            self.pause(wait_s + jitter_s())
        elif self._is_soon_over(request, fault) and self._may_retry(attempt):
            self.watch.log(
                "warning",
                N_("%(provider)s answered HTTP %(status)s; trying again."),
                provider=self.provider.name,
                status=answer.status,
            )
            self.pause(fault.wait_s or backoff_s(attempt))
        else:
            raise self._meant(request, fault, answer)

    def _is_soon_over(self, request: Request, fault: Fault) -> bool:
        """Whether it may be sent again, and is worth a worker's time to wait for the end of it."""
        is_safe = request.may_repeat or not fault.leaves_doubt
        return fault.meaning.remedy is Remedy.RETRY and is_safe and (fault.wait_s or 0.0) <= LONGEST_PAUSE_S

    def _may_retry(self, attempt: int) -> bool:
        return attempt < TRIES and self._retries.may_retry()

    def _meant(self, request: Request, fault: Fault, answer: Answer) -> PatchbayError:
        """What the fault comes to; nobody knows what became of a request that leaves doubt and cannot be looked up."""
        if fault.leaves_doubt and not request.may_repeat:
            self._leave_open(request)
            if fault.work is Work.OPEN or self._step is None:
                return verdicts.untold(self.provider, fault, answer)
        error = verdicts.meant(self.provider, request, fault, answer, doing=self.doing)
        # Of another's token nothing follows for the connection's own.
        if fault.meaning is Meaning.TOKEN_EXPIRED and request.with_token and request.token is None:
            self.source.gave_up(error.detail)
        return error

    def _leave_open(self, request: Request) -> None:
        """The request was carried out, or may have been: the step must not be done again unseen."""
        if self._step is not None and not request.may_repeat:
            self._step.leave_open()

    def _secrets(self, request: Request, token: tokens.Token | None) -> list[str]:
        pair = token.value.split(":") if token is not None else []  # keys are two, joined
        return [*pair, request.token or "", self.app.client_secret if self.app else ""]

    def _line(self) -> Line:
        return Line(
            self.provider,
            self.app,
            self.settings,
            self.is_sandbox,
            self.budget_key,
            self.account,
            not self.stream,
            self.watch,
        )
