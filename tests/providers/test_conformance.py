"""What every provider must do, run over all of them against the sandbox; a new provider is found by being there.

What is special about one provider is tested in its own file beside this one.
"""

import json
from pathlib import Path

import pytest
from sqlalchemy import select

from jobs.tick import tick
from patchbay import connections, providers, runs
from patchbay.connections import Caller, Outcome
from patchbay.errors import Conflict
from patchbay.models import (
    AuditEntry,
    Base,
    CallbackOutcome,
    Connection,
    ConnectionState,
    Record,
    Run,
    RunLog,
    RunStatus,
    Trigger,
    User,
    db,
    fresh_view,
)
from patchbay.settings import ROOT
from patchbay.spec import Import, Operation, Provider, Status
from tests.stage import FrozenClock, Queue, Sandbox, Walker

pytestmark = pytest.mark.usefixtures("context", "frozen_clock", "_short_pauses")

FIXTURES = Path(__file__).parent / "fixtures"
ALL = providers.all()
ACTIVE = [provider for provider in ALL if provider.status is Status.ACTIVE]
IMPORTING = [provider for provider in ACTIVE if provider.imports]
ANNOUNCED = [provider for provider in ALL if provider.status is Status.COMING_SOON]
OBJECTS = 300  # more than one page of any stream

each_active = pytest.mark.parametrize("provider", ACTIVE, ids=lambda provider: provider.key)
each_importing = pytest.mark.parametrize("provider", IMPORTING, ids=lambda provider: provider.key)


@pytest.fixture
def _short_pauses(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("patchbay.client.FIRST_BACKOFF_S", 0.01)


def fields_of(provider: Provider) -> dict[str, str]:
    """What the connect form shows as examples, which must be something that can be connected."""
    return {field.name: field.placeholder for field in provider.fields if field.required}


def reading_of(provider: Provider) -> Operation:
    """An operation that changes nothing and needs no input."""
    readable = [action for action in provider.actions if action.is_read_only]
    candidates: list[Operation] = [*readable, *provider.imports]
    return next(
        operation
        for operation in candidates
        if not any(field.required and field.default is None for field in operation.input)
    )


def fill(sandbox: Sandbox, provider: Provider) -> None:
    shop = {"shop": f"{provider.fields[0].placeholder}.myshopify.com"} if provider.key == "shopify" else {}
    sandbox.generate(provider.key, count=OBJECTS, seed=7, **shop)


def run_of(user: User, provider: Provider, operation: Operation, queue: Queue) -> Run:
    run = runs.start(user.id, provider.key, operation.name, {}, Trigger.API)
    return carried_out(run, queue)


def carried_out(run: Run, queue: Queue) -> Run:
    queue.run_all()
    fresh_view()
    return db.session.get_one(Run, run.id, populate_existing=True)


def seen(stream: str) -> list[str]:
    return list(db.session.scalars(select(Record.external_id).where(Record.stream == stream)))


# -- the declaration


@pytest.mark.parametrize("provider", ALL, ids=lambda provider: provider.key)
def test_a_provider_introduces_itself(provider: Provider) -> None:
    assert provider.name
    assert provider.description.endswith(".")
    assert provider.key == provider.key.lower()


@pytest.mark.parametrize("provider", ANNOUNCED, ids=lambda provider: provider.key)
def test_what_is_announced_offers_nothing_yet(provider: Provider, ada: User) -> None:
    assert provider.operations == ()
    with pytest.raises(Conflict):
        connections.begin(Caller(ada.id), provider.key, {})


@each_active
def test_every_scope_is_explained_in_words(provider: Provider) -> None:
    assert provider.auth is not None
    for scope in provider.auth.scopes:
        assert scope.allows
        assert scope.purpose
        assert scope.name not in scope.allows


@each_active
def test_every_operation_asks_for_scopes_that_are_declared(provider: Provider) -> None:
    assert provider.auth is not None
    declared = {scope.name for scope in provider.auth.scopes}

    for operation in provider.operations:
        assert set(operation.scopes) <= declared
        assert operation.title
        assert operation.doing


@each_active
def test_operations_and_fields_have_names_of_their_own(provider: Provider) -> None:
    names = [operation.name for operation in provider.operations]
    streams = [operation.stream for operation in provider.imports]

    assert len(set(names)) == len(names)
    assert len(set(streams)) == len(streams)
    for operation in provider.operations:
        inputs = [field.name for field in operation.input]
        assert len(set(inputs)) == len(inputs)


@each_active
def test_tokens_go_to_declared_hosts_alone(provider: Provider) -> None:
    assert provider.token_hosts
    assert set(provider.token_hosts) <= set(provider.hosts)


@each_active
def test_the_sources_of_the_facts_are_named_with_a_date(provider: Provider) -> None:
    assert provider.sources
    assert all("(read 20" in source for source in provider.sources)


@each_importing
def test_there_is_a_recorded_answer_for_every_stream(provider: Provider) -> None:
    for operation in provider.imports:
        path = FIXTURES / provider.key.replace("-", "_") / f"{operation.stream}.json"
        assert json.loads(path.read_text(encoding="utf-8"))


@each_active
def test_a_provider_has_a_logo_or_an_initial(provider: Provider) -> None:
    vendored = ROOT / "static" / "vendor" / "logos"

    assert provider.logo is None or not vendored.exists() or (vendored / f"{provider.logo}.svg").exists()


# -- the connection


@each_active
def test_approval_makes_a_connection_that_names_its_account(provider: Provider, ada: User, connect: Walker) -> None:
    connection = connect(ada, provider.key, **fields_of(provider))

    assert connection.account_id
    assert connection.account_label
    assert connections.missing_scopes(connection) == ()


@each_active
def test_denial_makes_none(provider: Provider, ada: User, connect: Walker) -> None:
    returned = connect.walk(Caller(ada.id), provider.key, consent="deny", **fields_of(provider))

    assert returned.outcome is Outcome.DENIED
    assert connections.find(ada.id, provider.key) is None


@each_active
def test_a_token_that_has_ended_is_refreshed_once(
    provider: Provider, ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, provider.key, **fields_of(provider))
    sandbox.fault(provider.key, "expired_token")

    run = run_of(ada, provider, reading_of(provider), queue)

    assert run.status is RunStatus.SUCCEEDED
    assert len(sandbox.received(provider.key, grantType="refresh_token")) == 1


@each_active
def test_a_dead_grant_asks_for_its_owner(
    provider: Provider, ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, provider.key, **fields_of(provider))
    sandbox.fault(provider.key, "revoked_grant")

    run = run_of(ada, provider, reading_of(provider), queue)

    found = connections.find(ada.id, provider.key)
    assert run.status is RunStatus.FAILED
    assert run.error_kind in {"GrantExpired", "CredentialsRefused"}
    assert found is not None
    assert found.state is ConnectionState.RECONNECT_NEEDED


@each_active
def test_disconnecting_leaves_no_token_here_and_none_that_works_where_it_can_be_revoked(
    provider: Provider, ada: User, connect: Walker
) -> None:
    connect(ada, provider.key, **fields_of(provider))
    assert provider.auth is not None

    revoked = connections.disconnect(ada.id, provider.key)

    found = connections.find(ada.id, provider.key)
    assert revoked is (provider.auth.revoke_url is not None)
    assert found is not None
    assert (found.access_token_sealed, found.refresh_token_sealed) == (None, None)


# -- answers


@each_active
def test_a_wait_that_the_platform_asks_for_is_kept(
    provider: Provider, ada: User, connect: Walker, queue: Queue, sandbox: Sandbox, frozen_clock: FrozenClock
) -> None:
    connect(ada, provider.key, **fields_of(provider))
    sandbox.fault(provider.key, "rate_limit", seconds=60, times=0)
    run = run_of(ada, provider, reading_of(provider), queue)
    waiting, resumes_at = run.status, run.resumes_at
    assert resumes_at is not None

    sandbox.clear_faults(provider.key)
    frozen_clock.moment = resumes_at
    tick()
    run = carried_out(run, queue)

    assert (waiting, run.status) == (RunStatus.WAITING, RunStatus.SUCCEEDED)


@each_active
@pytest.mark.parametrize("kind", ["server_error", "reset", "truncated"])
def test_a_passing_fault_is_survived(
    provider: Provider, kind: str, ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, provider.key, **fields_of(provider))
    sandbox.fault(provider.key, kind)

    assert run_of(ada, provider, reading_of(provider), queue).status is RunStatus.SUCCEEDED


@each_active
def test_an_answer_of_an_unexpected_shape_is_named(
    provider: Provider, ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    connect(ada, provider.key, **fields_of(provider))
    sandbox.fault(provider.key, "malformed")

    run = run_of(ada, provider, reading_of(provider), queue)

    assert run.error_kind == "UnexpectedShape"
    assert provider.key in str(run.error_detail)


# -- imports


@each_importing
def test_an_import_brings_every_page_and_nothing_twice(
    provider: Provider, ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    fill(sandbox, provider)
    connect(ada, provider.key, **fields_of(provider))

    for operation in provider.imports:
        run = run_of(ada, provider, operation, queue)
        again = run_of(ada, provider, operation, queue)

        assert (run.status, again.status) == (RunStatus.SUCCEEDED, RunStatus.SUCCEEDED)
        assert run.counts["created"] == again.counts["unchanged"] == OBJECTS
        assert len(set(seen(operation.stream))) == len(seen(operation.stream)) == OBJECTS


@each_importing
def test_a_broken_import_goes_on_where_it_stopped(
    provider: Provider, ada: User, connect: Walker, queue: Queue, sandbox: Sandbox
) -> None:
    fill(sandbox, provider)
    connect(ada, provider.key, **fields_of(provider))
    operation: Import = provider.imports[0]
    sandbox.fault(provider.key, "slow", seconds=0)
    sandbox.fault(provider.key, "malformed")

    broken = run_of(ada, provider, operation, queue)
    saved = len(seen(operation.stream))
    resumed = carried_out(runs.retry(ada.id, broken.id), queue)

    assert broken.status is RunStatus.FAILED
    assert 0 < saved < OBJECTS
    assert resumed.counts["created"] == OBJECTS - saved
    assert resumed.counts["deleted"] == 0
    assert len(seen(operation.stream)) == OBJECTS


# -- secrets


@each_active
def test_no_secret_reaches_a_log_or_a_row_in_the_clear(
    provider: Provider,
    ada: User,
    connect: Walker,
    queue: Queue,
    sandbox: Sandbox,
    capfd: pytest.CaptureFixture[str],
) -> None:
    query = connect.leave(Caller(ada.id), provider.key, **fields_of(provider))
    connections.come_back(query, Caller(ada.id))
    connection = connections.connected(ada.id, provider.key)
    secrets = [query["code"], query["state"], connection.access_token, connection.refresh_token]
    sandbox.fault(provider.key, "server_error", times=0)
    run_of(ada, provider, reading_of(provider), queue)
    sandbox.clear_faults(provider.key)
    sandbox.fault(provider.key, "revoked_grant")
    run_of(ada, provider, reading_of(provider), queue)

    written = "".join(capfd.readouterr()) + "".join(everything_stored())
    for secret in secrets:
        assert secret
        assert secret not in written


def everything_stored() -> list[str]:
    kinds: list[type[Base]] = [Run, RunLog, AuditEntry, Record, Connection, CallbackOutcome]
    return [str(vars(row)) for kind in kinds for row in db.session.scalars(select(kind))]
