"""What Google Drive allows: so many requests for our app and for each user, and fewer that write.

What is asked of it stands in the other files.
Source: Drive API "Usage limits" (read 2026-11-21): 12,000 requests a minute for a project and a user, kept to here by
the second; no more than three writes a second for an account over a longer time. No answer tells what is left.
"""

from patchbay.spec import CountedBy, Request, Throttle, Window


def is_write(request: Request) -> bool:
    """Whether it makes or changes a file."""
    return request.method != "GET"


THROTTLE = Throttle(
    windows=(
        Window("second", 200, 1.0, by=CountedBy.APP),
        Window("writes in a second", 3, 1.0, counts=is_write),
    )
)
