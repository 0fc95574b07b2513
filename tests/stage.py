"""What the fixtures of `conftest` hand to tests: cast, clock, queue, the sandbox's controls, walking a consent.

What does not live here: the servers (`servers`) and the fixtures themselves.
"""

import contextlib
import importlib
import threading
import time
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any, TypeVar
from urllib.parse import parse_qsl, urlsplit

import requests
from flask import Flask, has_app_context
from flask.testing import FlaskClient
from redis.exceptions import RedisError
from rq import Queue as HintQueue
from rq.job import Job
from rq.serializers import JSONSerializer

from jobs.tick import tick
from patchbay import accounts, clock, connections, limits, providers, queue, signing
from patchbay.connections import Caller, Returned
from patchbay.errors import SettingsError
from patchbay.limits import breakers
from patchbay.models import (
    Connection,
    ConnectionState,
    Role,
    Run,
    RunStatus,
    User,
    db,
    fresh_view,
    new_id,
    transaction,
)
from patchbay.spec import Answer, Keys, Request, Throttle

T = TypeVar("T")

PASSWORD = "a long enough password"
CAST = {"ada@example.org": Role.ADMIN, "ben@example.org": Role.MEMBER, "cleo@example.org": Role.MEMBER}


class FrozenClock:
    """Stands still until a test moves it; what the sandbox and Redis take for the time goes on.

    When it is moved, the limits that Redis keeps by its own time are over too.
    """

    def __init__(self, start: datetime = datetime(2027, 3, 1, 12, 0, tzinfo=UTC)) -> None:
        self._moment = start

    @property
    def moment(self) -> datetime:
        """The moment it stands at, aware, UTC."""
        return self._moment

    @moment.setter
    def moment(self, moment: datetime) -> None:
        if moment > self._moment:
            outdate_limits()
        self._moment = moment

    def now(self) -> datetime:
        """The moment it stands at, aware, UTC."""
        return self.moment

    def advance(self, **lapse: float) -> None:
        """Move on, in the words of `timedelta`: `advance(minutes=10)`."""
        self.moment += timedelta(**lapse)


def outdate_limits() -> None:
    """Let budgets be full, refusals forgotten, and each open breaker ready for its probe."""
    limits.forget_here()
    with contextlib.suppress(RedisError, SettingsError):
        redis = queue.redis()
        for place in redis.scan_iter("patchbay:limits:*"):
            redis.delete(place)
        for place in redis.smembers("patchbay:breakers:open"):
            redis.hset(place, mapping={"retry_at": "0", "probe_until": "0"})


def count_answer(provider_key: str, connection_id: str, failure: str = "", *, is_sandbox: bool = True) -> None:
    """Tell a connection's breakers of a request that was answered, or of the way in which it failed."""
    passed = breakers.of_requests(provider_key, connection_id, is_sandbox=is_sandbox)
    key, request = limits.Key(provider_key, is_sandbox, connection_id), Request("GET", "https://x.example/")
    permit = limits.Permit(key, Throttle(), request, passed)
    limits.settle(permit, Answer(200, {}, b"", ""), took_s=0.01, failure=failure)


class Queue:
    """The hints that were sent to the workers, carried out here and now, one after another, when a test says so."""

    def __init__(self, app: Flask) -> None:
        self._app = app

    def hints(self) -> list[tuple[str, str]]:
        """What waits: the function's dotted name and the row's id."""
        return [_hint(job) for each in self._queues() for job in each.get_jobs()]

    def drop_all(self) -> None:
        """Lose every hint, as a wiped Redis does."""
        for each in self._queues():
            each.empty()  # type: ignore[no-untyped-call]  # RQ leaves it untyped

    def forget_limits(self) -> None:
        """Wipe what is known of limits and breakers: they keep a time that goes on when Patchbay's stands still."""
        queue.redis().flushdb()
        limits.forget_here()

    def run_all(self) -> int:
        """Carry out what waits, and what that brings; returns how many jobs it was."""
        done = 0
        while (hint := self._take()) is not None:
            module, _, function = hint[0].rpartition(".")
            with self._app.app_context():
                getattr(importlib.import_module(module), function)(hint[1])
            done += 1
        return done

    def _take(self) -> tuple[str, str] | None:
        for each in self._queues():
            job_id = each.connection.lpop(each.key)
            if isinstance(job_id, bytes):
                job = each.fetch_job(job_id.decode())
                assert job is not None
                return _hint(job)
        return None

    def _queues(self) -> list[HintQueue]:
        return [HintQueue(name, connection=queue.redis(), serializer=JSONSerializer) for name in queue.QUEUES]


def _hint(job: Job) -> tuple[str, str]:
    return str(job.func_name), str(job.args[0])


class Sandbox:
    """The control calls of the live sandbox at `url`."""

    def __init__(self, url: str) -> None:
        self.url = url

    def reset(self) -> None:
        """Back to the first state."""
        self._control("POST", "reset", json={})

    def fault(self, provider: str, kind: str, **order: Any) -> str:
        """Order a fault (`times`, `rate`, `seconds`, `match`); returns its id."""
        return str(self._control("POST", f"{provider}/faults", json={"kind": kind, **order}).json()["id"])

    def clear_faults(self, provider: str) -> None:
        """Take all orders back."""
        self._control("DELETE", f"{provider}/faults")

    def received(self, provider: str, **wanted: Any) -> list[dict[str, Any]]:
        """The platform's ledger, oldest first, narrowed to rows whose fields equal `wanted`."""
        rows = self._control("GET", f"{provider}/requests", params={"limit": "1000"}).json()["requests"]
        return [row for row in rows if all(row[name] == value for name, value in wanted.items())]

    def lifetimes(self, provider: str, **wanted: Any) -> None:
        """How long tokens live that are issued from now on (`accessSeconds`, `refreshSeconds`, `oneUse`)."""
        self._control("POST", f"{provider}/lifetimes", json=wanted)

    def state(self, provider: str, collection: str, **query: str) -> list[dict[str, Any]]:
        """All that the platform holds in a collection, in its own JSON."""
        found: list[dict[str, Any]] = []
        cursor: str | None = ""
        while cursor is not None:
            params = {"collection": collection, "limit": "500", "cursor": cursor, **query}
            page = self._control(
                "GET", f"{provider}/state", params={name: text for name, text in params.items() if text}
            ).json()
            found, cursor = found + page["data"], page["nextCursor"]
        return found

    def fill(self, content: bytes, **query: str) -> dict[str, int]:
        """Fill a Shopify shop (`shop`, `replace`) from a product CSV; returns how much it took."""
        answer = self._control(
            "POST", "shopify/products", data=content, headers={"Content-Type": "text/csv"}, params=query
        )
        taken: dict[str, int] = answer.json()
        return taken

    def remove_product(self, handle: str, **query: str) -> None:
        """Delete a product from a shop."""
        self._control("DELETE", f"shopify/products/{handle}", params=query)

    def generate(self, provider: str, **wanted: Any) -> None:
        """Fill with synthetic content (`count`, `seed`, `shop`)."""
        self._control("POST", f"{provider}/generate", json=wanted)

    def keys(self, provider: str, fields: Mapping[str, str]) -> dict[str, str]:
        """New keys for the account that `fields` name, as their owner would paste them."""
        auth = providers.get(provider).auth
        assert isinstance(auth, Keys)
        given = self._control("POST", f"{provider}/token", json={"shop": next(iter(fields.values()), "")}).json()
        return {field.name: str(given[auth.posted.get(field.name, field.name)]) for field in auth.fields}

    def consent(self, auth_url: str, answer: str = "allow", **extra: str) -> dict[str, str]:
        """Answer the consent page as its user would; returns the query that the browser is sent back with."""
        response = requests.get(
            auth_url, params={"sandbox_consent": answer, **extra}, allow_redirects=False, timeout=10
        )
        assert response.status_code in {302, 303}, response.text[:500]
        return dict(parse_qsl(urlsplit(response.headers["Location"]).query, keep_blank_values=True))

    def _control(self, method: str, call: str, **named: Any) -> requests.Response:
        response = requests.request(method, f"{self.url}/_sandbox/{call}", timeout=60, **named)
        response.raise_for_status()
        return response


class Walker:
    """Walks connects through the real consent over HTTP: `connect(ada, "shopify", shop="demo-shop")`."""

    def __init__(self, app: Flask, sandbox: Sandbox) -> None:
        self._app = app
        self._sandbox = sandbox

    def __call__(self, user: User, integration_id: str, **fields: str) -> Connection:
        """A connection that works."""
        with in_context(self._app):
            returned = self.walk(Caller(user.id), integration_id, **fields)
            assert returned.outcome.is_success, f"{returned.outcome}: {dict(returned.params)}"
            connection = connections.find(user.id, integration_id)
            assert connection is not None
            return connection

    def walk(self, caller: Caller, integration_id: str, *, consent: str = "allow", **fields: str) -> Returned:
        """Leave, answer the consent page, come back; needs an app context."""
        if isinstance(providers.get(integration_id).auth, Keys):
            pasted = self._sandbox.keys(integration_id, fields)
            return connections.connect_with_keys(caller, integration_id, fields, pasted)
        query = self.leave(caller, integration_id, consent=consent, **fields)
        return connections.come_back(query, caller)

    def leave(self, caller: Caller, integration_id: str, *, consent: str = "allow", **fields: str) -> dict[str, str]:
        """The same without coming back: the query that the platform sends the browser back with."""
        departure = connections.begin(caller, integration_id, fields)
        return self._sandbox.consent(departure.url, consent)


def linked_to_dropbox(user: User) -> Connection:
    """A connection of the user's that was never walked, for tests that stand in for its platform themselves."""
    now = clock.now()
    made = Connection(
        id=new_id("con"), user_id=user.id, integration_id="dropbox", state=ConnectionState.CONNECTED,
        account_id="1", account_label="ada", scopes=[], is_sandbox=True, settings={}, setting_labels={},
        token_version=1, connected_at=now, created_at=now, updated_at=now,
    )  # fmt: skip
    made.access_token = "a-token"
    with transaction() as session:
        session.add(made)
    return made


def waited_out(run: Run, clock: FrozenClock, queue: Queue) -> Run:
    """The run after all its waits, each as long as it wants."""
    fresh_view()
    run = db.session.get_one(Run, run.id, populate_existing=True)
    while run.status is RunStatus.WAITING:
        assert run.resumes_at is not None, f"it waits for a person: {run.wait_reason}"
        clock.moment = max(clock.moment, run.resumes_at)
        queue.forget_limits()
        tick()
        queue.run_all()
        fresh_view()
        run = db.session.get_one(Run, run.id, populate_existing=True)
    return run


def sign_in(client: FlaskClient, user: User) -> str:
    """Begin a session for the user without the form; returns the CSRF token (`X-CSRF-Token`) of the session."""
    token = signing.new_token()
    with client.session_transaction() as session:
        session.clear()
        session.update(user=user.id, epoch=user.epoch, sid=signing.new_token(), csrf=token)
    return token


def key_for(app: Flask, user: User, *scopes: str) -> Mapping[str, str]:
    """The header of a new API key with these scopes (none: `*`)."""
    with in_context(app):
        text = accounts.create_key(user, "a test", scopes or ("*",)).text
    return {"Authorization": f"Bearer {text}"}


@contextlib.contextmanager
def in_context(app: Flask) -> Iterator[None]:
    """The present app context, or one of its own."""
    with contextlib.nullcontext() if has_app_context() else app.app_context():
        yield


def at_once(app: Flask, calls: Sequence[Callable[[], T]]) -> list[T]:
    """What the calls answer when as many threads, each in an app context of its own, make them at the same time."""
    ready = threading.Barrier(len(calls))

    def make(call: Callable[[], T]) -> T:
        with app.app_context():
            ready.wait(timeout=60)
            return call()

    with ThreadPoolExecutor(len(calls)) as threads:
        return list(threads.map(make, calls))


def wait_until(is_so: Callable[[], bool], timeout_s: float = 60.0) -> None:
    """Return as soon as it is so; fails when it never is."""
    until = time.monotonic() + timeout_s
    while not is_so():
        assert time.monotonic() < until, "it never came to be"
        time.sleep(0.02)
