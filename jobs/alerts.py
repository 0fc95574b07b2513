"""Sending messages about alerts."""

from flask_babel import force_locale, gettext

from jobs.owners import of_owner
from patchbay.alerts import delivery
from patchbay.models import AlertNotice


@of_owner(AlertNotice)
def deliver(notice_id: str) -> None:
    """Send the message of that id, in its reader's language."""
    delivery.deliver(notice_id, _speak)


def _speak(message: str, language: str) -> str:
    with force_locale(language):
        return str(gettext(message))
