"""What Etsy allows: so many calls in a second and so many in a rolling day, told by every answer.

What is asked of it stands in the other files.
Source: developers.etsy.com "Rate Limits" (read 2026-11-21): counted for each token; 10 and 10,000 for a new app.
"""

from patchbay.spec import Answer, Budget, Throttle, Window

DAY_S = 86_400.0
SECOND = Window("second", 10, 1.0)


def read(answer: Answer) -> tuple[Budget | Window, ...]:
    """What the day has left, and how much a second holds for this app."""
    names = ("x-limit-per-second", "x-remaining-today", "x-limit-per-day")
    numbers = [int(text) for name in names if (text := answer.headers.get(name, "")).isdigit()]
    if len(numbers) != len(names):
        return ()
    per_second, today, per_day = numbers
    day = Budget(today, per_day, per_day / DAY_S, cost=1, name="day", seconds=DAY_S)
    return Window(SECOND.name, per_second, SECOND.seconds), day


THROTTLE = Throttle(windows=(SECOND,), read=read)
