"""Carrying a run out again from its recording: the provider's own code, the answers as they came, and nothing else.

No request leaves and nothing is written. Whether it comes to the same end, and if not at which request it first
differs, tells a change of ours from one of the platform's. What a recording is lives in `tape`.
"""

import hashlib
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any

import msgspec

from patchbay import clock, providers, tokens
from patchbay.client import Client, Unwatched
from patchbay.client.exchange import Line
from patchbay.client.retries import TRIES, Budget
from patchbay.client.watch import Exchange
from patchbay.credentials import AppCredentials
from patchbay.errors import N_, Conflict, NetworkError, PatchbayError
from patchbay.models import Run
from patchbay.spec import Answer, Fault, Import, Operation, Picture, Request, classify
from patchbay.wire import tape
from patchbay.wire.recording import fingerprint
from patchbay.wire.tape import Recording, Take


@dataclass(frozen=True)
class Difference:
    """Where a replay first parts from its run: a sentence (a message id) and what fills it in."""

    sentence: str
    params: Mapping[str, str | int] = field(default_factory=dict)

    def __str__(self) -> str:
        """In English."""
        return self.sentence % self.params


class Departed(Exception):
    """The replay asks for something else than the run did."""

    def __init__(self, sentence: str, **params: str | int) -> None:
        self.difference = Difference(sentence, params)
        super().__init__(str(self.difference))


@dataclass(frozen=True)
class Outcome:
    """What a replay came to. `differs` None: it sent what the run sent, and ended as the run did.

    `digest` is the SHA-256 of all that was read, or of the action's result: two replays of one record have the same.
    """

    requests: int
    items: int
    error: str
    digest: str
    differs: Difference | None


def replay(run: Run) -> Outcome:
    """Carry the run out from its record. Raises Conflict for a run that cannot be replayed."""
    return play(tape.of_run(run))


def play(recording: Recording) -> Outcome:
    """Carry a recorded run out. Raises Conflict when its provider has no such operation any more."""
    operation = providers.get(recording.integration).operation(recording.operation)
    if operation is None:
        raise Conflict(sentence=N_("This integration no longer has the operation that was recorded."))
    player = _player(recording, operation)
    items, error, departed, last = 0, "", None, None
    digest = hashlib.sha256()
    try:
        for last in _carried_out(recording, operation, player):
            items += 1
            digest.update(msgspec.json.encode(last, order="sorted", enc_hook=str))
    except Departed as found:
        departed = found.difference
    except PatchbayError as found:
        error = found.kind
    differs = departed or _difference(recording, items, error, last)
    return Outcome(player.played.place, items, error, digest.hexdigest(), differs)


def _difference(recording: Recording, items: int, error: str, result: Any) -> Difference | None:
    if error != recording.error:
        return Difference(_ended_otherwise(error, recording.error), {"here": error, "there": recording.error})
    if error:
        return None
    if recording.stream is not None and items != recording.counted:
        return Difference(N_("It read %(here)s items, the run %(there)s."), {"here": items, "there": recording.counted})
    if recording.stream is None and tape.redacted(msgspec.to_builtins(result)) != tape.redacted(recording.result):
        return Difference(N_("It came to another result than the run."))
    return None


def _ended_otherwise(error: str, wanted: str) -> str:
    if not error:
        return N_("It ended well, the run with %(there)s.")
    return (
        N_("It ended with %(here)s, the run with %(there)s.") if wanted else N_("It ended with %(here)s, the run well.")
    )


def _carried_out(recording: Recording, operation: Operation, player: "_Player") -> Iterator[Any]:
    """Everything that the operation reads, or the result of an action."""
    if isinstance(operation, Import):
        for page in operation.pages(player, None):
            yield from ([item.external_id, item.data] for item in page.items)
    else:
        yield dict(operation.run(player, recording.input))


def _player(recording: Recording, operation: Operation) -> "_Player":
    played = _Played(recording.takes, recording.error)
    player = _Player(
        provider=providers.get(recording.integration),
        app=AppCredentials("replayed", "replayed", "", "replay"),
        settings=recording.settings,
        is_sandbox=False,
        source=_NoToken(),
        budget_key="replay",
        account=recording.account,
        watch=_Memory(recording.memo, played),
        doing=operation.doing,
        stream=recording.stream or "",
    )
    player.played = played
    return player


@dataclass
class _Played:
    """The takes, and how far they have been played."""

    takes: Sequence[Take]
    error: str
    place: int = 0

    def next(self, exchange: Exchange) -> Take:
        """The take of this request. Raises Departed when the run sent another one in its place."""
        asked = f"{exchange.method} {exchange.url.partition('?')[0]}"
        if self.place == len(self.takes):
            sentence = N_("Request %(number)s is %(here)s, where the run sent nothing more.")
            raise Departed(sentence, number=self.place + 1, here=asked)
        take = self.takes[self.place]
        if take.fingerprint != fingerprint(exchange):
            sent = f"{take.method} {take.url.partition('?')[0]}"
            sentence = N_(
                "Request %(number)s is %(here)s, where the run sent %(there)s, or the same with other content."
            )
            raise Departed(sentence, number=self.place + 1, here=asked, there=sent)
        self.place += 1
        return take

    def goes_on_with(self, attempt: int) -> bool:
        """Whether the run's next try was that one of the same request."""
        return self.place < len(self.takes) and self.takes[self.place].attempt == attempt

    def was_sent(self, attempt: int) -> bool:
        """Whether the platform may have heard the last try, to which no answer came: else the run tried again, or ended
        with saying that it could not be reached.
        """
        is_last = self.place == len(self.takes)
        return not (self.goes_on_with(attempt + 1) or (is_last and self.error == NetworkError.__name__))


@dataclass(frozen=True)
class _TapedLine(Line):
    """A line on which the recording answers."""

    played: _Played = field(kw_only=True)

    def exchange(
        self, request: Request, url: str, token: tokens.Token | None, attempt: int
    ) -> tuple[Answer, Fault | None]:
        """The answer that the run got for the same request."""
        outgoing = self._outgoing(request, url, token)
        take = self.played.next(Exchange(outgoing, None, {}, b"", "", 0, clock.now(), attempt))
        if take.status is None:
            is_sent = self.played.was_sent(attempt)
            raise NetworkError("no answer came to the run", was_sent=is_sent, provider=self.provider.name)
        answer = Answer(take.status, take.headers, take.content, url)
        return answer, None if request.accepts(answer) else classify(self.provider.faults, answer)


class _Player(Client):
    """A client that is played to, waits for nothing and tries again where the run did."""

    played: _Played

    def __post_init__(self) -> None:
        self._retries = Budget("replay")  # of nobody's share

    def pause(self, seconds: float) -> None:
        """What the run waited for has passed."""

    def public_address(self, address: str, content_type: str = "") -> str:
        """The address that the run was given; nobody fetches from it."""
        return self.watch.public_address(address, content_type)

    def _may_retry(self, attempt: int) -> bool:
        return attempt < TRIES and self.played.goes_on_with(attempt + 1)

    def _line(self) -> Line:
        there = super()._line()
        parts = {name: getattr(there, name) for name in Line.__dataclass_fields__}
        return _TapedLine(**parts, played=self.played)


class _NoToken:
    """The source of a token that nobody looks at."""

    def fresh(self) -> tokens.Token:
        """Something to send."""
        return tokens.Token("replayed", 0, is_proved=True)

    def replaced(self, refused: tokens.Token) -> tokens.Token:  # noqa: ARG002 - the protocol's names
        """As good as the last."""
        return self.fresh()

    def worked(self, token: tokens.Token) -> None:
        """It is not stored."""

    def gave_up(self, reason: str) -> None:
        """It is not stored."""


class _Memory(Unwatched):
    """What the run remembered and was handed, given again. A picture is zeros: what is sent is known by its length."""

    def __init__(self, memo: Mapping[str, Any], played: _Played) -> None:
        self._memo, self._played, self._new = memo, played, dict[str, Any]()
        self._notes = {kind: iter(memo.get(tape.noted(kind), ())) for kind in tape.KINDS}

    def remember(self, name: str, make: Callable[[], Any]) -> Any:
        """What the platform answered comes from the recording; what was made up here is what the run had made up."""
        if name not in self._new:
            place = self._played.place
            made = make()
            self._new[name] = made if self._played.place > place else self._memo.get(name, made)
        return self._new[name]

    def forget(self, name: str) -> None:
        """Made anew at the next `remember`."""
        self._new.pop(name, None)

    def picture(self, address: str) -> Picture:  # noqa: ARG002 - the protocol's names
        """One of the same name, kind and size."""
        told = self._next("picture")
        return Picture(**told, read=lambda start, count: bytes(max(0, min(count, told["size_bytes"] - start))))

    def public_address(self, address: str, content_type: str) -> str:  # noqa: ARG002 - the protocol's names
        """The address that the run was given."""
        return str(self._next("address"))

    def keep(self, content: bytes, filename: str) -> Mapping[str, Any]:  # noqa: ARG002 - the protocol's names
        """What the run kept."""
        kept: Mapping[str, Any] = self._next("design")
        return kept

    def _next(self, kind: str) -> Any:
        for note in self._notes[kind]:
            return note
        raise Departed(N_("It asks for more than the run was given."))
