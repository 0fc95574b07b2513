"""Posting a message to a user's https address, signed as Standard Webhooks 1.0.0 has it (standardwebhooks.com, spec).

What does not live here: what it says (`alerts.letters`), and when it is tried again (`alerts.delivery`).
"""

import base64
import binascii
import hashlib
import hmac
import secrets

import msgspec

from patchbay import clock, net
from patchbay.alerts import stories
from patchbay.alerts.letters import Letter
from patchbay.alerts.outcome import Problem
from patchbay.errors import N_, AddressBlocked, NetworkError

LIMIT_S = 20.0
MOST_READ_BYTES = 64 * 1024
SECRET_PREFIX = "whsec_"  # noqa: S105 - the prefix of secrets, not one
SECRET_BYTES = 32

_NOT_REACHED = N_("The address could not be reached, or did not answer in time.")
_BLOCKED = N_("This address is not allowed. Use a public https address.")
_GONE = N_("The address says that it is gone (410).")
_REFUSED = N_("The address did not answer with a success (2xx).")


def new_secret() -> str:
    """A signing key in the form that receivers' libraries take."""
    return SECRET_PREFIX + base64.b64encode(secrets.token_bytes(SECRET_BYTES)).decode()


def send(letter: Letter, url: str, secret: str) -> Problem | None:
    """Post the letter; None for an answer of 2xx, else why not. No redirect is followed."""
    body = msgspec.json.encode(payload(letter))
    moment_s = int(clock.now().timestamp())
    headers = {
        "Content-Type": "application/json",
        "webhook-id": letter.id,
        "webhook-timestamp": str(moment_s),
        "webhook-signature": signature(secret, letter.id, moment_s, body),
    }
    outgoing = net.Outgoing("POST", url, headers=headers, content=body, timeout_s=LIMIT_S, max_bytes=MOST_READ_BYTES)
    try:
        reply = net.current().send(outgoing)
    except AddressBlocked:
        return Problem(_BLOCKED, is_final=True)
    except NetworkError:
        return Problem(_NOT_REACHED)
    if 200 <= reply.status < 300:
        return None
    return Problem(_GONE, is_final=True) if reply.status == 410 else Problem(_REFUSED)


def payload(letter: Letter) -> dict[str, object]:
    """What is posted. `type` is `alert.opened`, `alert.reminder`, `alert.recovered` or `alert.test`."""
    data: dict[str, object] = {"title": letter.title, "text": letter.sentence, "url": letter.link}
    alert = letter.alert
    if alert is not None:
        data |= {
            "id": alert.id,
            "kind": alert.kind.value,
            "severity": stories.of(alert.kind).severity.value,
            "connectionId": alert.connection_id,
            "openedAt": clock.iso(alert.opened_at),
            "resolvedAt": clock.iso(alert.resolved_at) if alert.resolved_at else None,
        }
    return {"type": f"alert.{letter.event}", "timestamp": clock.iso(letter.happened_at), "data": data}


def signature(secret: str, message_id: str, moment_s: int, body: bytes) -> str:
    """HMAC-SHA256 over `id.timestamp.body`, keyed by the decoded part of the secret behind its prefix.

    Raises ValueError for a secret that is not base64.
    """
    encoded = secret.removeprefix(SECRET_PREFIX)
    try:
        key = base64.b64decode(encoded + "=" * (-len(encoded) % 4), validate=True)
    except binascii.Error:
        raise ValueError("a signing key that is not base64") from None
    signed = b".".join([message_id.encode(), str(moment_s).encode(), body])
    return "v1," + base64.b64encode(hmac.new(key, signed, hashlib.sha256).digest()).decode()
