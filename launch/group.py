"""The processes of one run: started in order, kept running, shown, stopped together. One thread, one loop.

Their command lines live in `commands`; what a killed launcher leaves behind is the business of `survivors`.
"""

import os
import secrets
import selectors
import signal
import subprocess
import time
from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from types import FrameType

from launch.commands import migrate_command, redis_command, sandbox_command, web_command, workers_command
from launch.output import Output
from launch.readiness import answers_ping, health
from launch.survivors import MARK, Keeper, Parent, dying_with, end_all, mark_of
from patchbay.settings import ROOT, Settings, redis_socket

FIRST_DELAY_S, LONGEST_DELAY_S, WELL_AFTER_S = 0.5, 30.0, 60.0
STOP_WITHIN_S = 8.0
TELL_EVERY_S = 15.0
# glibc gives memory back sooner: after a mockup the web process keeps 100 MB instead of 150 (PSS, 2 cores, 2026-11-21).
SPARING = {"MALLOC_ARENA_MAX": "2", "MALLOC_TRIM_THRESHOLD_": "131072"}


class StartRefusedError(Exception):
    """Why Patchbay does not start, as one line for the person at the keyboard."""


@dataclass
class Child:
    """A process that is kept running. Times are seconds of the monotonic clock; `due_at` is when it starts again."""

    name: str
    command: Sequence[str]
    process: subprocess.Popen[bytes]
    started_at: float
    delay_s: float = FIRST_DELAY_S
    due_at: float | None = None
    begun_line: bytes = b""

    @property
    def is_running(self) -> bool:
        """Whether its process lives."""
        return self.process.poll() is None


class Group:
    """All processes of one run on one home."""

    def __init__(self, settings: Settings) -> None:
        self._settings = settings
        self._mark = f"{mark_of(settings.home)}{secrets.token_hex(8)}."
        self._output = Output()
        self._selector = selectors.DefaultSelector()
        self._children: list[Child] = []
        self._is_told_to_stop = False

    def run(self, parent_process: int | None) -> int:
        """Start all, keep all running until a signal or the parent says stop, stop all; the exit status.

        Raises StartRefusedError, with all stopped again.
        """
        parent = Parent(parent_process)
        keeper = Keeper(self._mark)
        self._catch_signals()
        try:
            for _ in self._start():
                self._show_output(0.05)
                if self._is_told_to_stop or parent.wants_stop:
                    return 0
            while not (self._is_told_to_stop or parent.wants_stop):
                self._show_output(0.5)
                self._revive()
            self._output.say("launch", "stopping")
            return 0
        finally:
            self._stop()
            keeper.dismiss()

    def _catch_signals(self) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            if number is not signal.SIGHUP or signal.getsignal(number) is not signal.SIG_IGN:  # nohup stays in force
                signal.signal(number, self._on_signal)

    def _on_signal(self, _number: int, _frame: FrameType | None) -> None:
        self._is_told_to_stop = True

    def _start(self) -> Iterator[None]:
        """The way to readiness in small steps, between which output is shown and signals are heeded."""
        settings = self._settings
        if settings.embedded_redis:
            self._add("redis", self._redis_command())
        yield from self._migrate()
        if settings.sandbox:
            self._add("sandbox", sandbox_command(settings))
        while settings.embedded_redis and not answers_ping(redis_socket(settings.home)):
            self._refuse_if_one_ended()
            yield
        self._add("web", web_command(settings))
        self._add("workers", workers_command())
        yield from self._await_health()
        self._output.announce(_welcome(settings))
        self._output.announce(f"Patchbay is ready at {settings.public_url}")

    def _redis_command(self) -> Sequence[str]:
        command = redis_command(self._settings)
        if command is None:
            raise StartRefusedError("No redis-server here: install Redis or Valkey, or set REDIS_URL.")
        redis_socket(self._settings.home).unlink(missing_ok=True)
        return command

    def _migrate(self) -> Iterator[None]:
        migration = self._spawn("migrate", migrate_command())
        while migration.poll() is None:
            self._refuse_if_one_ended()
            yield
        said = migration.communicate()[0].decode(errors="replace").strip()
        if migration.returncode:
            raise StartRefusedError(said or f"Patchbay does not start: the migration {_ending(migration.returncode)}.")
        for line in said.splitlines():
            self._output.say("migrate", line)

    def _await_health(self) -> Iterator[None]:
        begun_at = told_at = time.monotonic()
        while (answer := health(self._settings))[0] != 200:
            self._refuse_if_one_ended()
            if time.monotonic() - told_at >= TELL_EVERY_S:
                told_at = time.monotonic()
                said = f"{answer[0]} {answer[1]}" if answer[0] else "nothing yet"
                self._output.say("launch", f"not ready after {told_at - begun_at:.0f} s: /health answers {said}")
            yield

    def _refuse_if_one_ended(self) -> None:
        """Before readiness an end is a mistake in the set-up: it is said, not repeated."""
        for child in self._children:
            if not child.is_running:
                self._show_output(0.2)
                raise StartRefusedError(f"Patchbay does not start: {child.name} {_ending(child.process.returncode)}.")

    def _add(self, name: str, command: Sequence[str]) -> None:
        child = Child(name, command, self._spawn(name, command), time.monotonic())
        self._children.append(child)
        self._watch(child)

    def _spawn(self, name: str, command: Sequence[str]) -> subprocess.Popen[bytes]:
        """In a session of its own: a Ctrl+C reaches the launcher alone, which then stops the others in order."""
        return subprocess.Popen(  # noqa: S603 - the commands are our own
            command,
            cwd=ROOT,
            env={**SPARING, **os.environ, MARK: f"{self._mark}{name}", "PYTHONUNBUFFERED": "1"},
            start_new_session=True,
            preexec_fn=dying_with(os.getpid()),  # noqa: PLW1509 - there is one thread
            stdin=subprocess.DEVNULL,
            stdout=subprocess.PIPE,
            stderr=subprocess.STDOUT,
        )

    def _watch(self, child: Child) -> None:
        if child.process.stdout:
            self._selector.register(child.process.stdout, selectors.EVENT_READ, child)

    def _show_output(self, wait_s: float) -> None:
        """Show what the children say, waiting up to `wait_s` seconds for it."""
        if not self._selector.get_map():
            time.sleep(wait_s)
            return
        for key, _ in self._selector.select(wait_s):
            child: Child = key.data
            said = os.read(key.fd, 65536)
            *lines, child.begun_line = (child.begun_line + said).split(b"\n")
            if not said:
                self._selector.unregister(key.fileobj)
                lines = [child.begun_line] if child.begun_line else []
            for line in lines:
                self._output.say(child.name, line.decode(errors="replace").rstrip("\r"))

    def _revive(self) -> None:
        """Start again what ended, later each time it does not live long."""
        now = time.monotonic()
        for child in self._children:
            if child.is_running:
                continue
            if child.due_at is None:
                self._plan(child, now)
            elif now >= child.due_at:
                self._restart(child, now)

    def _plan(self, child: Child, now: float) -> None:
        end_all(f"{self._mark}{child.name}")  # a server's surviving worker would keep the port
        lived_s = now - child.started_at
        if lived_s >= WELL_AFTER_S:
            child.delay_s = FIRST_DELAY_S
        how = _ending(child.process.returncode)
        self._output.say("launch", f"{child.name} {how} after {lived_s:.0f} s; it starts again in {child.delay_s:g} s")
        child.due_at = now + child.delay_s
        child.delay_s = min(child.delay_s * 2, LONGEST_DELAY_S)

    def _restart(self, child: Child, now: float) -> None:
        if child.process.stdout and child.process.stdout in {key.fileobj for key in self._selector.get_map().values()}:
            return  # its last words first
        child.command = self._redis_command() if child.name == "redis" else child.command
        child.process, child.started_at, child.due_at, child.begun_line = (
            self._spawn(child.name, child.command),
            now,
            None,
            b"",
        )
        self._watch(child)

    def _stop(self) -> None:
        """SIGTERM to all, and to Redis once nobody needs it; SIGKILL to what is left after STOP_WITHIN_S."""
        deadline = time.monotonic() + STOP_WITHIN_S
        redis = [child for child in self._children if child.name == "redis"]
        for children in ([child for child in self._children if child not in redis], redis):
            for child in children:
                child.process.terminate()
            while any(child.is_running for child in children) and time.monotonic() < deadline:
                self._show_output(0.05)
        end_all(self._mark)
        for child in self._children:
            child.process.wait()
        last_words_until = time.monotonic() + 1.0
        while self._selector.get_map() and time.monotonic() < last_words_until:
            self._show_output(0.1)


def _ending(returncode: int) -> str:
    if returncode < 0:
        return f"was ended by {signal.Signals(-returncode).name}"
    return f"ended with status {returncode}"


def _welcome(settings: Settings) -> str:
    lines = ["", f"  Address   {settings.public_url}"]
    if settings.sandbox:
        lines += [
            f"  Sign in   demo@patchbay.local, password {settings.demo_password}",
            f"  Sandbox   {settings.sandbox_url}/_sandbox/",
        ]
    return "\n".join([*lines, "  Stop      Ctrl+C", ""])
