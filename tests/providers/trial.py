"""One provider on trial before the conformance suite: connected, filled, asked and killed without a word about which.

What must come out of it is said in `test_conformance`; what differs from provider to provider, in its `Sample`.
"""

import contextlib
import http.client
import re
import threading
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from typing import Any
from urllib.parse import parse_qsl, urlsplit

import requests
from sqlalchemy import func, select

from jobs.tick import tick
from patchbay import connections, runs, tenancy
from patchbay.connections import Caller, Returned
from patchbay.models import Asset, Connection, Record, Run, Trigger, User, db, fresh_view, transaction
from patchbay.runs.lease import LENGTH
from patchbay.spec import Action, Field, Keys, Operation, Provider
from tests.providers.sample import Sample
from tests.stage import FrozenClock, Queue, Sandbox, Walker

OBJECTS = 300  # more than one page of any stream
SEED = 7


class Killed(BaseException):
    """What a SIGKILL comes to, for code that cannot see one coming: nothing behind this point happens."""


@dataclass(frozen=True)
class Trial:
    """A provider with somebody who connects it, and all that a test needs around them."""

    provider: Provider
    sample: Sample
    user: User
    walker: Walker
    queue: Queue
    sandbox: Sandbox
    clock: FrozenClock

    # -- connecting

    @property
    def caller(self) -> Caller:
        """Who connects."""
        return Caller(self.user.id)

    @property
    def fields(self) -> dict[str, str]:
        """What the connect form shows as examples, which must be something that can be connected."""
        return {field.name: field.placeholder for field in self.provider.fields if field.required} | dict(
            self.sample.fields
        )

    def connect(self) -> Connection:
        """A connection that works, with its choices made."""
        self.walker(self.user, self.provider.key, **self.fields)
        self.choose()
        return self.connection

    def reconnect(self) -> Connection:
        """Connect again, in the session of another request."""
        if self.user in db.session:
            db.session.refresh(self.user)  # it is read once more without the session that knows it
        db.session.remove()
        self.walker(self.user, self.provider.key, **self.fields)
        return self.connection

    @property
    def connection(self) -> Connection:
        """The connection as it is now."""
        fresh_view()
        found = connections.find(self.user.id, self.provider.key)
        assert found is not None
        db.session.refresh(found)
        return found

    def answer_consent(self, decision: str, **form: Any) -> Returned:
        """Leave, fill in the consent page, come back. `scope` lists what stays ticked, `account` says who answers."""
        departure = connections.begin(self.caller, self.provider.key, self.fields)
        sent = {"decision": decision, **form}
        answer = requests.post(departure.url, data=sent, allow_redirects=False, timeout=10)
        assert answer.status_code in {302, 303}, answer.text[:500]
        query = dict(parse_qsl(urlsplit(answer.headers["Location"]).query, keep_blank_values=True))
        return connections.come_back(query, self.caller)

    def connect_elsewhere(self) -> Returned:
        """Come back with another account than before."""
        if self.sample.elsewhere:
            return self.walker.walk(self.caller, self.provider.key, **{**self.fields, **self.sample.elsewhere})
        page = requests.get(connections.begin(self.caller, self.provider.key, self.fields).url, timeout=10).text
        accounts = re.findall(r'name="account" value="([^"]+)"', page)
        assert len(accounts) > 1, "the consent page has one account: say in SAMPLE.elsewhere how to reach another"
        return self.answer_consent("allow", account=accounts[1], scope=self.scopes)

    @property
    def scopes(self) -> list[str]:
        """The scopes that are declared."""
        return [scope.name for scope in self.provider.auth.scopes] if self.provider.auth else []

    def with_tokens(self, **tokens: str | None) -> None:
        """Put other tokens into the connection (`access_token`, `refresh_token`)."""
        connection = self.connection
        with transaction():
            for name, token in tokens.items():
                setattr(connection, name, token)

    def weaken(self) -> None:
        """Let the connection have a token that lacks what reading needs."""
        wanted = dict(self.sample.without_scope)
        assert wanted, "say in SAMPLE.without_scope what the token control must be asked for"
        answer = requests.post(f"{self.sandbox.url}/_sandbox/{self.provider.key}/token", json=wanted, timeout=10)
        assert answer.ok, answer.text
        self.with_tokens(access_token=self._secret_in(answer.json()))

    # -- asking

    @property
    def reading(self) -> Operation:
        """An operation that changes nothing at the platform."""
        readable = [action for action in self.provider.actions if action.is_read_only]
        candidates: list[Operation] = [*readable, *self.provider.imports]
        return next(one for one in candidates if one.name in self.sample.inputs or not _needed(one))

    def inputs_of(self, operation: Operation) -> Mapping[str, Any]:
        """Values that the operation takes."""
        if operation.name in self.sample.inputs:
            return self.sample.inputs[operation.name](self.user, self.sandbox)
        assert not _needed(operation), f"say in SAMPLE.inputs what {operation.name} takes"
        return {}

    def start(self, operation: Operation) -> Run:
        """Ask for the operation; nothing of it is done yet."""
        return runs.start(self.user.id, self.provider.key, operation.name, self.inputs_of(operation), Trigger.API)

    def run(self, operation: Operation) -> Run:
        """Ask for the operation and carry it out."""
        return self.carry_out(self.start(operation))

    @property
    def acting(self) -> Sequence[Action]:
        """The actions that change something."""
        return [action for action in self.provider.actions if not action.is_read_only]

    def read(self) -> Run:
        """Carry out the operation that changes nothing."""
        return self.run(self.reading)

    def carry_out(self, run: Run) -> Run:
        """The run, once everything that waits has been done."""
        self.queue.run_all()
        fresh_view()
        return db.session.get_one(Run, run.id, populate_existing=True)

    def kill(self, run: Run, is_due: Callable[[], object]) -> bool:
        """Carry the run out, and kill whoever does it at the first answer at which it is due; whether that came."""

        def die() -> None:
            if is_due():
                raise Killed

        try:
            with meanwhile(die):
                self.carry_out(run)
        except Killed:
            db.session.rollback()
            return True
        return False

    def cut_line_behind(self, stream: str) -> None:
        """Let the line be dead once a page of the stream is saved."""
        if self.saved(stream):
            raise ConnectionResetError

    def resume(self, run: Run) -> Run:
        """What becomes of a run whose worker was killed, once its lease has lapsed."""
        self.clock.advance(seconds=LENGTH.total_seconds() + 1)
        tick()
        return self.carry_out(run)

    # -- what there is

    def fill(self, count: int = OBJECTS) -> None:
        """Let the platform hold so many objects."""
        self.sandbox.generate(self.provider.key, **{"count": count, "seed": SEED, **self.sample.generate})

    def found(self, stream: str) -> int:
        """How many records an import of the filled platform brings."""
        return self.sample.found.get(stream, OBJECTS)

    def saved(self, stream: str) -> list[str]:
        """The external ids of the stream's records that are not deleted."""
        wanted = select(Record.external_id).where(Record.stream == stream, Record.deleted_at.is_(None))
        with tenancy.everyone(), db.engine.connect() as connection:  # of its own: asked in the middle of a run, too
            return list(connection.scalars(wanted))

    def totals(self) -> dict[str, int]:
        """How much there is of everything: at the platform, and among the user's pictures here."""
        answer = requests.get(f"{self.sandbox.url}/_sandbox/{self.provider.key}/state", timeout=10).json()
        pictures = db.session.scalar(select(func.count()).select_from(Asset)) or 0
        return {**answer["collections"], "pictures of Patchbay's": pictures}

    def _secret_in(self, given: Any) -> str:
        """What an answer of the token control gives to speak with."""
        auth = self.provider.auth
        if isinstance(auth, Keys):
            return auth.secret({field.name: given[auth.posted.get(field.name, field.name)] for field in auth.fields})
        for step in auth.answer_root if auth else ():
            given = given[step]
        return str(given["access_token"])

    def choose(self) -> None:
        """Make the choices that are asked for after connecting."""
        values: dict[str, Any] = {}
        for field in self.provider.settings:
            value = self.sample.settings.get(field.name) or self.connection.settings.get(field.name)
            values[field.name] = value or self._offered(field) or field.placeholder
        if self.provider.settings:
            connections.change_settings(self.user.id, self.provider.key, {k: v for k, v in values.items() if v})

    def _offered(self, field: Field) -> str:
        """The first that the platform has to offer, of a field that must be picked."""
        if field.pick is None or not field.required:
            return ""
        return connections.offer(self.connection, field.pick).options[0].value


@contextmanager
def meanwhile(act: Callable[[], object]) -> Iterator[None]:
    """In the block, `act` after each answer that this thread receives; what it raises comes in the answer's place."""
    receive, here, busy = http.client.HTTPConnection.getresponse, threading.get_ident(), threading.Lock()

    def receive_and_act(self: http.client.HTTPConnection) -> http.client.HTTPResponse:
        answer = receive(self)
        if threading.get_ident() == here and busy.acquire(blocking=False):  # not for what `act` itself asks
            with contextlib.ExitStack() as stack:
                stack.callback(busy.release)
                act()
        return answer

    http.client.HTTPConnection.getresponse = receive_and_act  # type: ignore[method-assign]  # put back below
    try:
        yield
    finally:
        http.client.HTTPConnection.getresponse = receive  # type: ignore[method-assign]  # as it was


def at_answer(number: int) -> Callable[[], bool]:
    """Due at the answer of that number, counted from 1, and never after."""
    count = iter(range(1, number + 1))
    return lambda: next(count, None) == number


def _needed(operation: Operation) -> list[str]:
    """The inputs that must be given; the number of a page and the like have defaults."""
    return [field.name for field in operation.input if field.required and field.default is None]
