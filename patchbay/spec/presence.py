"""Asking for objects one by one whether they exist, at platforms that have no call for several at once.

What follows for records whose object does not exist any more is decided in `patchbay.runs` and `patchbay.records`.
"""

from collections.abc import Callable, Sequence

from patchbay.errors import NotFoundThere
from patchbay.spec.api import Api, Request


def which_exist(api: Api, ids: Sequence[str], look: Callable[[str], Request]) -> set[str]:
    """Those of the ids whose request is not answered with the fault NOT_FOUND, nor with a status that it accepts."""
    return {one for one in ids if _exists(api, look(one))}


def _exists(api: Api, request: Request) -> bool:
    try:
        return api.send(request).status < 400
    except NotFoundThere:
        return False
