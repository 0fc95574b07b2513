"""What Dropbox allows: no figures are promised, but two writes to one account at once may be refused for each other.

What is asked of it stands in the other files.
Source: the performance guide and the errors of "auth.stone" (`too_many_write_operations`; read 2026-11-21).
"""

from patchbay.spec import Request, Throttle, Window

WRITES = ("files/create_folder_v2", "files/upload", "files/upload_session/finish")


def is_write(request: Request) -> bool:
    """Whether it changes the tree of files; parts of a file that is still on its way do not."""
    return request.url.endswith(WRITES)


THROTTLE = Throttle(windows=(Window("writes at once", 1, 0, counts=is_write),))
