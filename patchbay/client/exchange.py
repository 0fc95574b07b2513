"""One exchange with a platform: whether and when the request may go, the request itself, and what the answer is.

What does not live here: trying again and what a fault comes to (the package itself), and HTTP (`patchbay.net`).
"""

import hashlib
import hmac
from collections.abc import Mapping
from dataclasses import dataclass
from time import monotonic
from typing import Any

from patchbay import clock, limits, net, tokens
from patchbay.client import addresses
from patchbay.client.verdicts import error_kind, rate_limited
from patchbay.client.watch import LONGEST_PAUSE_S, Exchange, Watch, pause
from patchbay.credentials import AppCredentials
from patchbay.errors import NetworkError
from patchbay.limits import Key, Permit, breakers
from patchbay.models import db
from patchbay.spec import Answer, Fault, Meaning, OAuth2, Provider, Request, Throttle, classify

UNTOLD_PAUSE_S = 0.5  # after a refusal that does not say how long to wait
UNDECLARED = Throttle()  # nothing is promised: only refusals are heeded

RETRY_PATIENCE_S = 15.0
"""So long a retry waits for its budget: what was lost may have been counted, and then nothing is left for a while."""
CONNECT_S = 5.0
ANSWER_S = 30.0
NARROWEST_UPLINK = 32 * 1024
"""Bytes a second: 4 MiB, the largest chunk of an upload, then have two minutes."""


@dataclass(frozen=True)
class Line:
    """A connection's line to its platform. `budget_key` is the connection's id, or what stands for it before there is
    one; `account` is whose budget is spent, as far as it is known. An import is no action.
    """

    provider: Provider
    app: AppCredentials | None
    settings: Mapping[str, Any]
    is_sandbox: bool
    budget_key: str
    account: str
    is_action: bool
    watch: Watch

    def exchange(
        self, request: Request, url: str, token: tokens.Token | None, attempt: int
    ) -> tuple[Answer, Fault | None]:
        """Send the request once; the answer, and the fault that it is unless the request takes it as it is.

        Raises NetworkError without an answer, UnexpectedShape for an address outside the platform, RateLimited when the
        budget is spent for longer than a worker should wait, CircuitOpen while the platform is left alone.
        """
        outgoing = self._outgoing(request, url, token)
        addresses.check_host(self.provider, url, self.settings, with_token=token is not None)
        if db.session().in_transaction():
            db.session.commit()  # no transaction stays open across a request
        patience_s = LONGEST_PAUSE_S if attempt == 1 else RETRY_PATIENCE_S
        permit = self._admitted(request, patience_s, outgoing.timeout_s) if request.with_token else None
        started_at, began = clock.now(), monotonic()
        try:
            reply = net.current().send(outgoing, sandboxed_hosts=self.provider.hosts if self.is_sandbox else ())
        except NetworkError as error:
            if permit is not None:
                limits.abandon(permit, failure=error.kind)
            self.watch.exchanged(
                Exchange(outgoing, None, {}, b"", error.kind, _since_ms(began), started_at, attempt),
            )
            raise
        except BaseException:
            if permit is not None:
                limits.abandon(permit)
            raise
        took_s = monotonic() - began
        answer = Answer(reply.status, {name.lower(): text for name, text in reply.headers.items()}, reply.body, url)
        fault = None if request.accepts(answer) else classify(self.provider.faults, answer)
        if permit is not None:
            _note_answer(permit, answer, fault, took_s)
        kind = error_kind(fault) if fault else ""
        self.watch.exchanged(
            Exchange(outgoing, answer.status, answer.headers, answer.body, kind, _since_ms(began), started_at, attempt)
        )
        return answer, fault

    def _outgoing(self, request: Request, url: str, token: tokens.Token | None) -> net.Outgoing:
        headers, params = dict(request.headers), dict(request.params)
        if token is not None:
            secret = request.token or token.value
            headers |= self._app_headers(secret)
            params |= self._proof(secret)
        return net.Outgoing(
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
            timeout_s=min(_allowed_s(request), self.watch.patience_s()),
        )

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

    def _admitted(self, request: Request, patience_s: float, lasts_s: float) -> Permit:
        """Leave to send, waited for; an address with an authority of its own is counted by nobody, and needs none."""
        key = Key(self.provider.key, self.is_sandbox, self.account or self.budget_key)
        throttle, waited_s = self.provider.throttle or UNDECLARED, 0.0
        passing = breakers.of_requests(self.provider.key, self.budget_key, is_sandbox=self.is_sandbox)
        while True:
            permit = limits.reserve(key, throttle, request, is_action=self.is_action, passing=passing, lasts_s=lasts_s)
            if permit.wait_s == 0:
                return permit
            waited_s += permit.wait_s
            if waited_s > patience_s:
                raise rate_limited(self.provider, permit.wait_s, "the budget is spent")
            pause(self.watch, permit.wait_s)


def _note_answer(permit: Permit, answer: Answer, fault: Fault | None, took_s: float) -> None:
    pause_s = None
    if fault is not None and fault.meaning is Meaning.THROTTLED:
        pause_s = UNTOLD_PAUSE_S if fault.wait_s is None else fault.wait_s
    failure = f"HTTP {answer.status}" if fault and fault.meaning is Meaning.UNAVAILABLE else ""
    limits.settle(permit, answer, took_s=took_s, pause_s=pause_s, failure=failure)


def _allowed_s(request: Request) -> float:
    """How long the exchange may take: to connect and to be answered, and to get its bytes through a narrow uplink."""
    size = len(request.content or b"") + sum(len(content) for _, content, _ in (request.files or {}).values())
    return CONNECT_S + ANSWER_S + size / NARROWEST_UPLINK


def _since_ms(began: float) -> int:
    return round((monotonic() - began) * 1000)
