"""The command line: accounts, keys, secrets and the audit log (`flask --help`). Never prompts.

What a script wants stands alone on standard output; all else goes to standard error.
"""

import sys
from collections.abc import Callable
from pathlib import Path
from typing import Any, NoReturn, TypeVar
from weakref import WeakSet

import click
from flask import Flask
from flask.cli import AppGroup, with_appcontext
from sqlalchemy import select

from patchbay import accounts, audit, backup, clock, doctor, settings, signing, tenancy, vault
from patchbay.accounts import leaving
from patchbay.audit import chain
from patchbay.errors import BackupError, Invalid, PatchbayError, SettingsError
from patchbay.models import EncryptedText, Role, Run, db, transaction
from patchbay.wire import replay, tape

T = TypeVar("T")

users = AppGroup("users", help="Accounts.")
keys = AppGroup("keys", help="API keys.")
vault_commands = AppGroup("vault", help="Encrypted secrets.")
backups = AppGroup("backup", help="One encrypted file with everything but the keys.")
runs_commands = AppGroup("runs", help="Runs.")
audit_commands = AppGroup("audit", help="The audit log.")
BATCH = 200
_wide: WeakSet[click.Command] = WeakSet()  # several applications of a process share most of the commands


def init_app(app: Flask) -> None:
    """Add the commands to `flask`."""
    for command in (users, keys, vault_commands, audit_commands, backups, runs_commands, examine):
        app.cli.add_command(command)
    for added in app.cli.commands.values():
        _widen(added)


def _widen(command: click.Command) -> None:
    """Let a command and those in its group see what is everybody's: who may run it may read the database anyway."""
    for part in command.commands.values() if isinstance(command, click.Group) else ():
        _widen(part)
    if command.callback is not None and command not in _wide:
        command.callback = tenancy.everyone()(command.callback)
        _wide.add(command)


@users.command("create")
@click.argument("email")
@click.option("--admin", is_flag=True, help="An administrator.")
@click.option("--password-stdin", is_flag=True, help="Read the password from standard input; else one is made.")
def create_user(email: str, admin: bool, password_stdin: bool) -> None:
    """Make an account; prints the password when it made one."""
    password = sys.stdin.readline().rstrip("\n") if password_stdin else signing.new_token(nbytes=12)
    user = _said(lambda: accounts.create_user(email, password, Role.ADMIN if admin else Role.MEMBER))
    click.echo(f"Made the account {user.email}.", err=True)
    if not password_stdin:
        click.echo(password)


@users.command("delete")
@click.argument("email")
def delete_user(email: str) -> None:
    """Delete an account with all that is theirs; their connections are ended at the platforms first."""
    user = accounts.by_email(email)
    if user is None:
        _refuse(f"There is no account {email}.")
    _said(lambda: leaving.ask(user.id, asked_by="system"))
    click.echo(f"{user.email} is locked out; the workers delete what is theirs.", err=True)


@keys.command("create")
@click.option("--email", required=True, help="Whose key.")
@click.option("--scopes", required=True, help="Space-separated; * for all that the user may.")
@click.option("--name", required=True, help="What it is for.")
def create_key(email: str, scopes: str, name: str) -> None:
    """Make an API key and print it, the one time that it is known."""
    is_demo = email == accounts.DEMO_EMAIL and settings.current().sandbox
    user = accounts.demo_user() if is_demo else accounts.by_email(email)
    if user is None:
        _refuse(f"There is no account {email}.")
    made = _said(lambda: accounts.create_key(user, name, scopes.split()))
    click.echo(f"Made the key {made.row.name!r} for {user.email}.", err=True)
    click.echo(made.text)


@vault_commands.command("rotate")
def rotate() -> None:
    """Seal every secret anew with the first of VAULT_KEYS; after that the others may go."""
    count = sum(_rotate_column(owner, column) for owner, column in EncryptedText.columns)
    audit.add(audit.Deed.VAULT_ROTATED, count=count)
    click.echo(f"Sealed {count} secrets anew with key {vault.current().fingerprints()[0]}.", err=True)


@audit_commands.command("verify")
def verify_audit() -> None:
    """Check that the log is what was written; exits with 1 at the first place where it is not."""
    found = chain.verify()
    click.echo(f"{found.seals} seals, {found.sealed} sealed entries, {found.open} not sealed yet.", err=True)
    if found.broken is not None:
        click.echo(f"The audit log is broken: {found.broken.what}.")
        sys.exit(1)
    click.echo("The audit log is whole.")


@runs_commands.command("export")
@click.argument("run_id")
def export_run(run_id: str) -> None:
    """Print a recorded run as JSON without secrets; what the platform told is in it."""
    click.echo(_said(lambda: tape.to_file(_recording(run_id))), nl=False)


@runs_commands.command("replay")
@click.argument("run_or_file")
def replay_run(run_or_file: str) -> None:
    """Carry a recorded run out again, from its id or an exported file; exits with 1 when it comes to another end."""
    outcome = _said(lambda: replay.play(_recording(run_or_file)))
    click.echo(f"{outcome.requests} requests, {outcome.items} items, {outcome.error or 'success'}.", err=True)
    click.echo(outcome.digest)
    if outcome.differs is not None:
        click.echo(f"It differs. {outcome.differs}", err=True)
        sys.exit(1)


def _recording(run_or_file: str) -> tape.Recording:
    file = Path(run_or_file)
    if file.is_file():
        return tape.of_file(file.read_bytes())
    run = db.session.get(Run, run_or_file)
    if run is None:
        _refuse(f"There is no run {run_or_file}, and no such file.")
    return tape.of_run(run)


@backups.command("create")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path), required=False)
def create_backup(file: Path | None) -> None:
    """Back up database and assets while Patchbay runs; prints the file's path."""
    here = settings.current()
    target = file or Path(f"patchbay-{clock.now():%Y-%m-%d-%H%M%S}.backup")
    made = _said(lambda: backup.create(here, target))
    click.echo(f"{made.tables} tables, {made.rows} rows, {made.assets} assets, read back and well.", err=True)
    click.echo(f"It opens with BACKUP_KEY alone. Keep {here.home / 'keys'} apart from it, and safe.", err=True)
    click.echo(str(target))


@backups.command("restore")
@click.argument("file", type=click.Path(exists=True, dir_okay=False, path_type=Path))
@click.option("--without-keys", is_flag=True, help="Although the old keys are lost: everybody has to reconnect.")
def restore_backup(file: Path, without_keys: bool) -> None:
    """Bring a backup back into an empty home."""
    done = _said(lambda: backup.restore(settings.current(), file, without_keys=without_keys))
    click.echo(f"Restored {done.tables} tables, {done.rows} rows, {done.assets} assets.", err=True)


@click.command("doctor")
@with_appcontext
def examine() -> None:
    """Examine this installation and say what to do; exit status 1 when something does not work."""
    levels = set()
    for finding in doctor.examine(settings.current()):
        levels.add(finding.level)
        click.echo(f"{finding.level:<5} {finding.name:<15} {finding.text}")
        if finding.advice:
            click.echo(f"{'':<21} → {finding.advice}")
    if doctor.Level.FAIL in levels:
        sys.exit(1)


def _rotate_column(owner: Any, column: EncryptedText) -> int:
    """Rotate one column in small transactions; a change made meanwhile is not overwritten, because each row is read
    and written in one."""
    count, last = 0, ""
    while True:
        with transaction() as session:
            sealed = getattr(owner, column.column)
            rows = list(
                session.scalars(
                    select(owner).where(owner.id > last, sealed.is_not(None)).order_by(owner.id).limit(BATCH)
                )
            )
            for row in rows:
                present = getattr(row, column.column)
                if vault.current().needs_rotation(present):
                    setattr(row, column.column, vault.current().rotate(present, context=column.context(row)))
                    count += 1
        if not rows:
            return count
        last = rows[-1].id
        db.session.expunge_all()


def _said(call: Callable[[], T]) -> T:
    """The call's result; an error of ours becomes one line and exit status 2."""
    try:
        return call()
    except Invalid as error:
        _refuse("; ".join(f"{name}: {text}" for name, text in error.fields.items()) or error.sentence)
    except (BackupError, SettingsError) as error:
        _refuse(str(error))
    except PatchbayError as error:
        _refuse(error.sentence % dict(error.params))


def _refuse(line: str) -> NoReturn:
    click.echo(line, err=True)
    sys.exit(2)
