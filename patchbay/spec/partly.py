"""Actions of several steps: what is told when one is refused after others were done.

Which steps an action has, and how a repeat finds those that were done, is said by its provider.
"""

from collections.abc import Iterator
from contextlib import contextmanager

from patchbay.errors import PartlyDone, PlatformError, ProviderUnavailable


@contextmanager
def one_of_several(provider: str, done: str, **params: str) -> Iterator[None]:
    """Carry out one step. `done` says what the steps before it made, a message id that `params` fill; empty: nothing.

    Raises PartlyDone when the platform refuses the step after something was done. What passes is left as it is, since
    a repeat finds what is there.
    """
    try:
        yield
    except ProviderUnavailable:
        raise
    except PlatformError as error:
        if not done:
            raise
        told = {**error.params, **params, "provider": provider, "done": done, "reason": error.sentence}
        raise PartlyDone(error.detail, **told) from error
