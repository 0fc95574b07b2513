"""Doing at the platform what must not be done twice: a receipt before it is sent, a look before a repeat.

What is sent and how it is looked up is said by the provider (`spec.Api.once`); receipts are kept by the run.
"""

import hashlib
from collections.abc import Callable
from typing import Any

import msgspec

from patchbay.client.watch import Kept, Watch
from patchbay.errors import OutcomeUnknown, PatchbayError
from patchbay.models import ReceiptState
from patchbay.spec import Request


class Step:
    """One step of an action; the client tells it what becomes of the request that may not be repeated."""

    def __init__(self, watch: Watch, name: str, provider: str) -> None:
        self._watch = watch
        self._name = name
        self._provider = provider
        self._was_sent = False
        self._is_open = False

    def sending(self, request: Request, url: str) -> None:
        """It goes out now: whoever comes after a kill must know."""
        self._was_sent = True
        self._watch.sending(self._name, _fingerprint(request, url))

    def leave_open(self) -> None:
        """The platform has done it, or nobody can say that it has not."""
        self._is_open = True

    def carry_out(self, act: Callable[[], Any], find: Callable[[], Any] | None) -> Any:
        """What `act` came to, now or in an earlier try; see `spec.Api.once`."""
        earlier = self._watch.receipt(self._name)
        if earlier is not None:
            if earlier.state is ReceiptState.DONE:
                return earlier.answer
            if (found := _found(find)) is not None:
                return self._done(found)
            if find is None and earlier.state is not ReceiptState.ASKED:
                self._watch.settle(self._name, ReceiptState.UNKNOWN)
                raise OutcomeUnknown("it was sent before, and its answer was lost", provider=self._provider)
        try:
            return self._done(act())
        except PatchbayError as error:
            return self._done(self._after(error, find, earlier))

    def _after(self, error: PatchbayError, find: Callable[[], Any] | None, earlier: Kept | None) -> Any:
        """What the platform shows of it all the same; raises `error`, or that nobody knows, where it shows nothing."""
        if not self._was_sent:
            raise error
        if not self._is_open:
            self._take_back(earlier)
            raise error
        found = _found(find)
        if found is None:
            self._watch.settle(self._name, ReceiptState.UNKNOWN)
            if find is None and not isinstance(error, OutcomeUnknown):
                raise OutcomeUnknown(error.detail, provider=self._provider) from error
            raise error
        return found

    def _take_back(self, earlier: Kept | None) -> None:
        """It was refused, so that all is as it was; what became of an earlier try is no clearer for that."""
        if earlier is None:
            self._watch.withdraw(self._name)
        else:
            self._watch.settle(self._name, earlier.state)

    def _done(self, value: Any) -> Any:
        self._watch.settle(self._name, ReceiptState.DONE, value)
        return value


def _found(find: Callable[[], Any] | None) -> Any:
    return find() if find is not None else None


def _fingerprint(request: Request, url: str) -> str:
    digest = hashlib.sha256(f"{request.method} {url}\n".encode())
    digest.update(msgspec.json.encode([dict(request.params), request.json, dict(request.form or {})], order="sorted"))
    for part in [request.content or b"", *(content for _, content, _ in (request.files or {}).values())]:
        digest.update(hashlib.sha256(part).digest())
    return digest.hexdigest()
