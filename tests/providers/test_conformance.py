"""What every provider must do, run over all of them against the sandbox; a new provider is found by being there.

What is special about one provider is tested in its own file beside this one; what this suite must know of it stands
there as `SAMPLE`.
"""

import json
from collections.abc import Iterable
from functools import partial
from pathlib import Path

import pytest
from sqlalchemy import select

from jobs.tick import tick
from patchbay import connections, providers, quality
from patchbay.connections import Caller, Outcome
from patchbay.errors import Conflict, CredentialsRefused
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
    User,
    WaitReason,
    db,
)
from patchbay.settings import ROOT
from patchbay.spec import Keys, OAuth2, Provider, Status
from tests.providers.sample import sample_of
from tests.providers.trial import OBJECTS, Trial, at_answer, meanwhile
from tests.stage import waited_out

pytestmark = pytest.mark.usefixtures("context")

FIXTURES = Path(__file__).parent / "fixtures"
ALL = providers.all()
ACTIVE = [provider for provider in ALL if provider.status is Status.ACTIVE]
ANNOUNCED = [provider for provider in ALL if provider.status is Status.COMING_SOON]
IMPORTING = [provider for provider in ACTIVE if provider.imports]
ACTING = [provider for provider in ACTIVE if any(not action.is_read_only for action in provider.actions)]
ON_ITS_SITE = [one for one in ACTIVE if isinstance(one.auth, OAuth2) or (one.auth and one.auth.handover)]
BY_OAUTH = [provider for provider in ACTIVE if isinstance(provider.auth, OAuth2)]
BY_KEYS = [provider for provider in ACTIVE if isinstance(provider.auth, Keys)]
REFRESHING = [one for one in BY_OAUTH if isinstance(one.auth, OAuth2) and one.auth.long_lived is None]
RENEWING = [one for one in BY_OAUTH if one in REFRESHING or (isinstance(one.auth, OAuth2) and one.auth.renewal)]
MOST_ANSWERS = 60


def declared(found: Iterable[Provider]) -> pytest.MarkDecorator:
    """For tests that look at the declaration alone."""
    return pytest.mark.parametrize("provider", found, ids=lambda provider: provider.key)


def tried(found: Iterable[Provider]) -> pytest.MarkDecorator:
    """For tests that have the provider do something."""
    return pytest.mark.parametrize("trial", found, ids=lambda provider: provider.key, indirect=True)


def test_every_exemption_names_a_rule_or_a_test_and_says_why() -> None:
    names = {*quality.RULES, *(name for name in globals() if name.startswith("test_"))} - {quality.WITNESSED}

    wrong = [
        (provider.key, name)
        for provider in ALL
        for name, reason in sample_of(provider).exempt.items()
        if name not in names or not reason.endswith(".")
    ]

    assert wrong == []


# -- the declaration


@declared(ALL)
def test_a_provider_introduces_itself(provider: Provider) -> None:
    assert provider.name
    assert provider.description.endswith(".")
    assert provider.key == provider.key.lower()


@declared(ANNOUNCED)
def test_what_is_announced_offers_nothing_yet(provider: Provider, ada: User) -> None:
    assert provider.operations == ()
    with pytest.raises(Conflict):
        connections.begin(Caller(ada.id), provider.key, {})


@declared(ACTIVE)
def test_every_scope_is_explained_in_words(provider: Provider) -> None:
    assert provider.auth is not None
    for scope in provider.auth.scopes:
        assert scope.allows
        assert scope.purpose
        assert scope.name not in scope.allows


@declared(ACTIVE)
def test_every_operation_asks_for_scopes_that_are_declared(provider: Provider) -> None:
    assert provider.auth is not None
    names = {scope.name for scope in provider.auth.scopes}

    for operation in provider.operations:
        assert set(operation.scopes) <= names
        assert operation.title
        assert operation.doing


@declared(ACTIVE)
def test_operations_and_fields_have_names_of_their_own(provider: Provider) -> None:
    names = [operation.name for operation in provider.operations]
    streams = [operation.stream for operation in provider.imports]

    assert len(set(names)) == len(names)
    assert len(set(streams)) == len(streams)
    for operation in provider.operations:
        inputs = [field.name for field in operation.input]
        assert len(set(inputs)) == len(inputs)


@declared(ACTIVE)
def test_what_is_picked_is_offered_by_an_operation_that_only_reads(provider: Provider) -> None:
    fields = [*provider.settings, *(field for operation in provider.operations for field in operation.input)]
    reading = {action.name for action in provider.actions if action.is_read_only}

    assert [field.name for field in fields if field.pick and field.pick.operation not in reading] == []


@declared(ACTIVE)
def test_tokens_go_to_declared_hosts_alone(provider: Provider) -> None:
    given_by_the_user = {host for host in provider.token_hosts if "{" in host}

    assert provider.token_hosts
    assert set(provider.token_hosts) - given_by_the_user <= set(provider.hosts)


@declared(ACTIVE)
def test_the_sources_of_the_facts_are_named_with_a_date(provider: Provider) -> None:
    assert provider.sources
    assert all("(read 20" in source for source in provider.sources)


@declared(IMPORTING)
def test_there_is_a_recorded_answer_for_every_stream(provider: Provider) -> None:
    for operation in provider.imports:
        path = FIXTURES / provider.key.replace("-", "_") / f"{operation.stream}.json"
        assert json.loads(path.read_text(encoding="utf-8"))


@declared(ACTIVE)
def test_a_provider_has_a_logo_or_an_initial(provider: Provider) -> None:
    vendored = ROOT / "static" / "vendor" / "logos"

    assert provider.logo is None or not vendored.exists() or (vendored / f"{provider.logo}.svg").exists()


# -- connecting


@tried(ACTIVE)
def test_approval_makes_a_connection_that_names_its_account(trial: Trial) -> None:
    connection = trial.connect()

    assert connection.account_id
    assert connection.account_label
    assert connections.missing_scopes(connection) == ()
    assert connections.missing_choices(connection) == ()


@tried(ON_ITS_SITE)
def test_denial_makes_none(trial: Trial) -> None:
    returned = trial.answer_consent("deny")

    assert returned.outcome is Outcome.DENIED
    assert connections.find(trial.user.id, trial.provider.key) is None


@tried(BY_OAUTH)
def test_scopes_that_the_owner_refused_are_named(trial: Trial) -> None:
    refused = set(trial.sample.refusable)

    returned = trial.answer_consent("allow")

    assert returned.outcome is (Outcome.CONNECTED_IN_PART if refused else Outcome.CONNECTED)
    assert set(connections.missing_scopes(trial.connection)) == refused


@tried(BY_KEYS)
def test_keys_that_the_platform_refuses_make_no_connection(trial: Trial) -> None:
    pasted = trial.sandbox.keys(trial.provider.key, trial.fields)
    wrong = {name: text[:-4] + "0000" for name, text in pasted.items()}

    with pytest.raises(CredentialsRefused):
        connections.connect_with_keys(trial.caller, trial.provider.key, trial.fields, wrong)

    assert connections.find(trial.user.id, trial.provider.key) is None


@pytest.mark.rule(quality.RECONNECTS)
@tried(ACTIVE)
def test_reconnecting_keeps_the_connection_its_settings_and_its_records(trial: Trial) -> None:
    trial.fill()
    before = trial.connect()
    settings = dict(before.settings)
    stored = [trial.run(operation).counts["created"] for operation in trial.provider.imports]
    trial.sandbox.fault(trial.provider.key, "revoked_grant")
    failed = trial.read()

    trial.reconnect()

    after = trial.connection
    again = [trial.run(operation).counts["unchanged"] for operation in trial.provider.imports]
    assert failed.status is RunStatus.FAILED
    assert (after.id, after.state, after.settings) == (before.id, ConnectionState.CONNECTED, settings)
    assert again == stored
    assert trial.read().status is RunStatus.SUCCEEDED


@tried(ACTIVE)
def test_another_account_does_not_slip_into_a_connection(trial: Trial) -> None:
    before = trial.connect()
    account, token = before.account_id, before.access_token

    returned = trial.connect_elsewhere()

    assert returned.outcome is Outcome.OTHER_ACCOUNT
    assert (trial.connection.account_id, trial.connection.access_token) == (account, token)
    connections.replace_account(trial.user.id, trial.provider.key, keep=True)
    assert trial.read().status is RunStatus.SUCCEEDED


# -- tokens


@tried(REFRESHING)
def test_a_token_that_has_ended_is_refreshed_once(trial: Trial) -> None:
    trial.connect()
    trial.sandbox.fault(trial.provider.key, "expired_token")
    refreshed_before = trial.connection.token_version

    run = trial.read()

    assert run.status is RunStatus.SUCCEEDED
    assert trial.connection.token_version == refreshed_before + 1


@tried(RENEWING)
def test_a_token_that_will_end_soon_is_renewed_ahead(trial: Trial) -> None:
    connection = trial.connect()
    assert connection.token_expires_at is not None
    before = connection.token_version
    trial.clock.moment = connection.token_expires_at
    trial.clock.advance(seconds=-30)

    run = trial.read()

    assert run.status is RunStatus.SUCCEEDED
    assert trial.connection.token_version == before + 1


@tried(REFRESHING)
def test_a_refresh_token_for_one_use_is_not_used_twice(trial: Trial) -> None:
    trial.connect()
    first = trial.connection.refresh_token
    assert first
    for _ in range(2):  # a platform may take the former token until the following is used
        trial.sandbox.fault(trial.provider.key, "expired_token")
        assert trial.read().status is RunStatus.SUCCEEDED
    is_still_good = trial.connection.refresh_token == first or trial.sample.old_refresh_works
    trial.with_tokens(refresh_token=first)
    trial.sandbox.fault(trial.provider.key, "expired_token")

    replayed = trial.read()

    expected = ConnectionState.CONNECTED if is_still_good else ConnectionState.RECONNECT_NEEDED
    assert trial.connection.state is expected
    assert replayed.status is (RunStatus.SUCCEEDED if is_still_good else RunStatus.FAILED)


@tried(ACTIVE)
def test_a_dead_grant_asks_for_its_owner(trial: Trial) -> None:
    trial.connect()
    trial.sandbox.fault(trial.provider.key, "revoked_grant")

    run = trial.read()

    assert run.status is RunStatus.FAILED
    assert run.error_kind in {"GrantExpired", "CredentialsRefused"}
    assert trial.connection.state is ConnectionState.RECONNECT_NEEDED


@tried(ACTIVE)
def test_a_token_without_the_scope_is_told_so(trial: Trial) -> None:
    trial.connect()
    trial.weaken()

    run = trial.read()

    assert run.error_kind == "ScopeMissing"
    assert trial.connection.state is ConnectionState.CONNECTED


@tried(ACTIVE)
def test_disconnecting_leaves_no_token_here_and_none_that_works_where_it_can_be_revoked(trial: Trial) -> None:
    connection, provider = trial.connect(), trial.provider
    token = connection.access_token
    can_revoke = provider.revoke is not None or (isinstance(provider.auth, OAuth2) and bool(provider.auth.revoke_url))
    is_ended_by_the_next = provider.auth is not None and provider.auth.grant_is_exclusive

    revoked = connections.disconnect(trial.user.id, provider.key)

    gone = trial.connection
    assert revoked is can_revoke
    assert (gone.access_token_sealed, gone.refresh_token_sealed) == (None, None)
    trial.connect()
    trial.with_tokens(access_token=token, refresh_token=None)
    assert trial.read().status is (RunStatus.FAILED if can_revoke or is_ended_by_the_next else RunStatus.SUCCEEDED)


# -- answers


@pytest.mark.rule(quality.THROTTLED)
@tried(ACTIVE)
def test_a_wait_that_the_platform_asks_for_is_kept(trial: Trial) -> None:
    trial.connect()
    trial.sandbox.fault(trial.provider.key, "rate_limit", seconds=60, times=0)
    run = trial.read()
    waiting, resumes_at, asked = run.status, run.resumes_at, len(trial.sandbox.received(trial.provider.key))
    assert resumes_at is not None

    tick()
    trial.carry_out(run)
    asked_meanwhile = len(trial.sandbox.received(trial.provider.key)) - asked
    trial.sandbox.clear_faults(trial.provider.key)
    trial.clock.moment = resumes_at
    tick()
    run = trial.carry_out(run)

    assert (waiting, run.status) == (RunStatus.WAITING, RunStatus.SUCCEEDED)
    assert asked_meanwhile == 0


@tried(ACTIVE)
@pytest.mark.parametrize("kind", ["server_error", "reset", "truncated"])
def test_a_passing_fault_is_survived(trial: Trial, kind: str) -> None:
    trial.connect()
    trial.sandbox.fault(trial.provider.key, kind)

    assert trial.read().status is RunStatus.SUCCEEDED


@tried(ACTIVE)
def test_an_answer_of_an_unexpected_shape_is_named(trial: Trial) -> None:
    trial.connect()
    trial.sandbox.fault(trial.provider.key, "malformed")

    run = trial.read()

    assert run.error_kind == "UnexpectedShape"
    assert trial.provider.key in str(run.error_detail)


# -- imports


@tried(IMPORTING)
def test_an_import_brings_every_page_and_nothing_twice(trial: Trial) -> None:
    trial.fill()
    trial.connect()

    for operation in trial.provider.imports:
        run, again = trial.run(operation), trial.run(operation)

        assert (run.status, again.status) == (RunStatus.SUCCEEDED, RunStatus.SUCCEEDED)
        assert run.counts["created"] == again.counts["unchanged"] == trial.found(operation.stream)
        assert len(set(trial.saved(operation.stream))) == len(trial.saved(operation.stream)) == run.counts["created"]


@tried(IMPORTING)
def test_a_broken_import_goes_on_where_it_stopped(trial: Trial) -> None:
    trial.fill()
    trial.connect()

    for operation in trial.provider.imports:
        run = trial.start(operation)
        with meanwhile(partial(trial.cut_line_behind, operation.stream)):
            broken = trial.carry_out(run)
        saved, stands = len(trial.saved(operation.stream)), (broken.status, broken.wait_reason)
        resumed = waited_out(broken, trial.clock, trial.queue)

        assert stands == (RunStatus.WAITING, WaitReason.UNAVAILABLE)
        assert 0 < saved < trial.found(operation.stream)
        assert resumed.counts["read"] == resumed.counts["created"] == trial.found(operation.stream)
        assert resumed.counts["deleted"] == 0
        assert len(trial.saved(operation.stream)) == trial.found(operation.stream)


@pytest.mark.rule(quality.RESUMES)
@tried(IMPORTING)
def test_an_import_whose_worker_was_killed_goes_on_behind_the_last_saved_page(trial: Trial) -> None:
    trial.fill()
    trial.connect()

    for operation in trial.provider.imports:
        run = trial.start(operation)
        was_killed = trial.kill(run, partial(trial.saved, operation.stream))
        saved = len(trial.saved(operation.stream))
        resumed = trial.resume(run)

        assert was_killed
        assert 0 < saved < trial.found(operation.stream)
        assert resumed.status is RunStatus.SUCCEEDED
        assert resumed.counts["read"] == resumed.counts["created"] == trial.found(operation.stream)
        assert len(trial.saved(operation.stream)) == trial.found(operation.stream)


@pytest.mark.rule(quality.DETECTS_DELETES)
@tried(IMPORTING)
def test_what_is_deleted_at_the_platform_is_marked_deleted_by_the_next_import(trial: Trial) -> None:
    trial.fill()
    trial.connect()
    before = {operation.stream: trial.run(operation).counts["created"] for operation in trial.provider.imports}
    trial.fill(OBJECTS - 1)

    for operation in trial.provider.imports:
        run = trial.run(operation)

        counts, saved = run.counts, trial.saved(operation.stream)
        assert run.status is RunStatus.SUCCEEDED
        assert counts["deleted"] >= 1
        assert len(saved) == before[operation.stream] + counts["created"] - counts["deleted"]
        assert len(saved) < before[operation.stream]


# -- actions


@pytest.mark.rule(quality.RESUMES)
@tried(ACTING)
def test_an_action_whose_worker_was_killed_is_finished_and_done_once(trial: Trial) -> None:
    trial.connect()

    for action in trial.acting:
        before = trial.totals()
        undisturbed = trial.run(action)
        done = added(before, trial.totals())
        assert undisturbed.status is RunStatus.SUCCEEDED, f"{action.name}: {undisturbed.error_detail}"

        for number in range(1, MOST_ANSWERS):
            before, run = trial.totals(), trial.start(action)
            was_killed = trial.kill(run, at_answer(number))
            if not was_killed:
                break
            resumed = trial.resume(run)

            where = f"{action.name}, killed at answer {number}"
            assert resumed.status is RunStatus.SUCCEEDED, f"{where}: {resumed.error_detail}"
            assert added(before, trial.totals()) == done, where
        assert not was_killed


# -- secrets


@tried(ACTIVE)
def test_no_secret_reaches_a_log_or_a_row_in_the_clear(trial: Trial, capfd: pytest.CaptureFixture[str]) -> None:
    secrets = secrets_of_a_connect(trial)
    trial.sandbox.fault(trial.provider.key, "server_error", times=0)
    trial.read()
    trial.sandbox.clear_faults(trial.provider.key)
    trial.sandbox.fault(trial.provider.key, "revoked_grant")
    trial.read()

    written = "".join(capfd.readouterr()) + "".join(everything_stored())
    assert secrets
    for secret in secrets:
        assert len(secret) > 8
        assert secret not in written


def secrets_of_a_connect(trial: Trial) -> list[str]:
    """Connect, and tell what must not be seen after it."""
    found: list[str | None] = []
    if isinstance(trial.provider.auth, OAuth2):
        query = trial.walker.leave(trial.caller, trial.provider.key, **trial.fields)
        found = [query["code"], query["state"]]
        connections.come_back(query, trial.caller)
    trial.connect()
    found += [trial.connection.access_token, trial.connection.refresh_token]
    return [part for secret in found if secret for part in secret.split(":")]


def everything_stored() -> list[str]:
    kinds: list[type[Base]] = [Run, RunLog, AuditEntry, Record, Connection, CallbackOutcome]
    return [str(vars(row)) for kind in kinds for row in db.session.scalars(select(kind))]


def added(before: dict[str, int], after: dict[str, int]) -> dict[str, int]:
    """What there is more of."""
    return {name: after[name] - before.get(name, 0) for name in after if after[name] != before.get(name, 0)}
