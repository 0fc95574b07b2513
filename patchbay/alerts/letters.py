"""What a message about an alert says, for both channels: made anew at each try from rows, so that tries say the same.

What does not live here: sending (`alerts.mail`, `alerts.address`), and the sentences (`alerts.stories`).
"""

from dataclasses import dataclass
from datetime import datetime

from patchbay import clock, settings
from patchbay.alerts import stories
from patchbay.alerts.stories import Translate
from patchbay.errors import N_
from patchbay.models import Alert, AlertEvent

INBOX_PATH = "/alerts"

_SUBJECTS = {
    AlertEvent.REMINDER: N_("Still open: %(title)s"),
    AlertEvent.RECOVERED: N_("Over: %(title)s"),
}
_OVER = N_("This is over since %(since)s.")
_OPEN_SINCE = N_("Open since %(since)s.")
_MORE = N_("See and mend it: %(link)s")
_WHY = N_("You get this because you have a Patchbay account. What is sent to you, and how: %(link)s")
_TEST_SUBJECT = N_("A test from Patchbay")
_TEST_TEXT = N_("This is how alerts will reach you. Nothing is amiss.")


@dataclass(frozen=True)
class Letter:
    """A message in its reader's language. `id` is the same in every try; `happened_at` is aware UTC.

    A mail has `subject` and `text`; a program is told `title` and `sentence`, and the rest in fields.
    """

    id: str
    event: str
    happened_at: datetime
    title: str
    sentence: str
    subject: str
    text: str
    language: str
    alert: Alert | None = None
    link: str = ""


def of_alert(notice_id: str, alert: Alert, event: AlertEvent, language: str, translate: Translate) -> Letter:
    """The message about an alert."""
    title, sentence = stories.told(alert, translate, plainly)
    link = f"{settings.current().public_url}{INBOX_PATH}/{alert.id}"
    is_over = event is AlertEvent.RECOVERED
    happened_at = alert.resolved_at or clock.now() if is_over else alert.opened_at
    since = stories.filled(translate(_OVER if is_over else _OPEN_SINCE), {"since": plainly(happened_at)})
    subject = stories.filled(translate(_SUBJECTS[event]), {"title": title}) if event in _SUBJECTS else title
    paragraphs = (since, sentence) if is_over else (sentence, since)
    more = stories.filled(translate(_MORE), {"link": link})
    text = "\n\n".join([title, *paragraphs, more, f"-- \n{_why(translate)}"])
    return Letter(notice_id, event.value, happened_at, title, sentence, subject, text, language, alert, link)


def test_letter(letter_id: str, language: str, translate: Translate) -> Letter:
    """The message that a user asks for to see whether it arrives."""
    link = settings.current().public_url + INBOX_PATH
    title, sentence = translate(_TEST_SUBJECT), translate(_TEST_TEXT)
    text = "\n\n".join([sentence, f"-- \n{_why(translate)}"])
    return Letter(letter_id, "test", clock.now(), title, sentence, title, text, language, link=link)


def plainly(moment: datetime) -> str:
    """A moment as every language reads it; the reader's time zone is not known outside a browser."""
    return f"{moment:%Y-%m-%d %H:%M} UTC"


def _why(translate: Translate) -> str:
    link = f"{settings.current().public_url}{INBOX_PATH}/preferences"
    return stories.filled(translate(_WHY), {"link": link})
