"""Speaking to a platform on behalf of a connection: token, throttle, request, verdict, retry.

What an operation says lives in `providers`; what an answer means is declared there in the words of `spec.faults`.
"""

import random
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import timedelta
from fnmatch import fnmatch
from typing import Any, Protocol, TypeVar
from urllib.parse import urlsplit

import msgspec

from patchbay import clock, limits, net, tokens
from patchbay.errors import (
    CredentialsRefused,
    NetworkError,
    NotFoundThere,
    OutcomeUnknown,
    PatchbayError,
    PlatformError,
    ProviderUnavailable,
    RateLimited,
    ScopeMissing,
    UnexpectedShape,
)
from patchbay.models import db
from patchbay.spec import Answer, Fault, Meaning, Picture, Provider, Request, classify

T = TypeVar("T")

TRIES = 4
LONGEST_PAUSE_S = 5.0
FIRST_BACKOFF_S = 0.4


class Watch(Protocol):
    """The run behind a client: it may stop the work, and keeps what must survive a kill."""

    def check(self) -> None:
        """Raise when the run was cancelled or taken over."""

    def log(self, level: str, message: str, **params: str | int) -> None:
        """Add a line to the run's log."""

    def progress(self, done: int, total: int | None) -> None:
        """Say how far the run has come."""

    def remember(self, name: str, make: Callable[[], Any]) -> Any:
        """The value kept under `name`, made and stored the first time."""

    def forget(self, name: str) -> None:
        """Drop what is kept under `name`."""

    def picture(self, address: str) -> Picture:
        """The picture behind an address of ours or of the public internet."""


class Unwatched:
    """The watch of a call that belongs to no run, such as the question whose account a fresh token is."""

    def check(self) -> None:
        """Nobody can cancel it."""

    def log(self, level: str, message: str, **params: str | int) -> None:
        """Nobody reads it."""

    def progress(self, done: int, total: int | None) -> None:
        """Nobody looks."""

    def remember(self, name: str, make: Callable[[], Any]) -> Any:  # noqa: ARG002 - the protocol's names
        """Nothing outlives the call."""
        return make()

    def forget(self, name: str) -> None:
        """Nothing was kept."""

    def picture(self, address: str) -> Picture:
        """Never asked for outside a run."""
        raise PlatformError(f"no picture can be read here: {urlsplit(address).path}")


@dataclass
class Client:
    """The `Api` of one connection. `budget_key` names whose budget is spent; `doing` completes "while we were …"."""

    provider: Provider
    settings: Mapping[str, Any]
    is_sandbox: bool
    source: tokens.TokenSource
    budget_key: str
    watch: Watch = field(default_factory=Unwatched)
    doing: str = ""
    stream: str = ""

    def send(self, request: Request) -> Answer:
        """Send one request; see `spec.Api.send`."""
        url = self._address(request.url)
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
            fault = None if answer.status in request.accept else classify(self.provider.faults, answer)
            if fault is None:
                return answer
            if fault.meaning is Meaning.TOKEN_EXPIRED and token is not None and not refreshed:
                token, refreshed = self.source.replaced(token), True
                continue
            self._after_fault(request, fault, answer, attempt)
        raise NetworkError("no try was left", provider=self.provider.name)

    def read(self, answer: Answer, shape: type[T]) -> T:
        """The answer's JSON as `shape`; the error names provider, stream and the path that does not fit."""
        try:
            return msgspec.json.decode(answer.body, type=shape)
        except (msgspec.DecodeError, UnicodeDecodeError) as error:
            place = f"{self.provider.key}/{self.stream}" if self.stream else self.provider.key
            raise UnexpectedShape(f"{place}: {error}", provider=self.provider.name) from None

    def picture(self, address: str) -> Picture:
        """The picture behind `address`."""
        return self.watch.picture(address)

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

    def _address(self, url: str) -> str:
        return url.format_map(dict(self.settings)) if "{" in url else url

    def _exchange(self, request: Request, url: str, token: tokens.Token | None) -> Answer:
        headers = dict(request.headers)
        if token is not None and self.provider.auth is not None:
            headers[self.provider.auth.token_header] = self.provider.auth.token_prefix + token.value
        self._check_host(url, with_token=token is not None)
        if db.session().in_transaction():
            db.session.commit()  # no transaction stays open across a request
        outgoing = net.Outgoing(
            request.method,
            url,
            params=request.params,
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

    def _check_host(self, url: str, *, with_token: bool) -> None:
        """A token goes to the platform's API hosts alone, whatever address an answer named."""
        host = urlsplit(url).hostname or ""
        patterns = self.provider.token_hosts if with_token else self.provider.hosts
        if not any(fnmatch(host, pattern) for pattern in patterns):
            detail = f"{self.provider.key}: an address outside the platform: {host}"
            raise UnexpectedShape(detail, provider=self.provider.name)

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
        self.watch.log("warning", "No answer from %(provider)s; trying again.", provider=self.provider.name)
        self.pause(_backoff_s(attempt))

    def _after_fault(self, request: Request, fault: Fault, answer: Answer, attempt: int) -> None:
        """Wait when the fault passes and the request may be repeated, else raise what it means."""
        if fault.meaning is Meaning.THROTTLED:
            wait_s = fault.wait_s if fault.wait_s is not None else _backoff_s(attempt + 1)
            if wait_s > LONGEST_PAUSE_S or attempt == TRIES:
                raise self._rate_limited(max(wait_s, LONGEST_PAUSE_S), fault.text)
            self.watch.log("info", "%(provider)s asks us to slow down.", provider=self.provider.name)
            self.pause(wait_s + random.uniform(0.05, 0.2))  # noqa: S311 - spreads retries, guards nothing
        elif fault.meaning is Meaning.UNAVAILABLE and request.may_repeat and attempt < TRIES:
            self.watch.log(
                "warning",
                "%(provider)s answered HTTP %(status)s; trying again.",
                provider=self.provider.name,
                status=answer.status,
            )
            self.pause(min(fault.wait_s or _backoff_s(attempt), LONGEST_PAUSE_S))
        else:
            raise self._meant(fault, answer)

    def _meant(self, fault: Fault, answer: Answer) -> PatchbayError:
        detail = f"HTTP {answer.status} {fault.text}".strip()
        words = {"provider": self.provider.name, "action": self.doing}
        if fault.meaning is Meaning.TOKEN_EXPIRED:
            self.source.gave_up(detail)
            return CredentialsRefused(detail, **words)
        kinds: dict[Meaning, type[PlatformError]] = {
            Meaning.SCOPE_MISSING: ScopeMissing,
            Meaning.NOT_FOUND: NotFoundThere,
            Meaning.UNAVAILABLE: ProviderUnavailable,
        }
        return kinds.get(fault.meaning, PlatformError)(detail, **words)

    def _rate_limited(self, wait_s: float, detail: str) -> RateLimited:
        retry_at = clock.now() + timedelta(seconds=min(wait_s, 7 * 24 * 3600))
        return RateLimited(detail, retry_at=retry_at, provider=self.provider.name)


def _backoff_s(attempt: int) -> float:
    """Full jitter over a doubling ceiling."""
    return random.uniform(0.1, FIRST_BACKOFF_S * 2**attempt)  # noqa: S311 - spreads retries, guards nothing
