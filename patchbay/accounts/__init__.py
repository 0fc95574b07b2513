"""People and their ways in: passwords, one-time links, API keys, and the brake on guessing.

What does not live here: sessions and cookies, which are the web's (`blueprints.guards`).
"""

from patchbay.accounts.brakes import PER_ACCOUNT, PER_ADDRESS, brake
from patchbay.accounts.keys import SCOPES, NewKey, allows, authenticate_key, create_key, keys, revoke_key
from patchbay.accounts.links import invite, offer_reset, open_link, use_link
from patchbay.accounts.users import (
    DEMO_EMAIL,
    by_email,
    by_id,
    by_id_with_alerts,
    change_password,
    choose_language,
    create_user,
    demo_user,
    emails_of,
    may_enter,
    set_active,
    sign_in,
    sign_in_demo,
    users,
)

__all__ = [
    "DEMO_EMAIL",
    "PER_ACCOUNT",
    "PER_ADDRESS",
    "SCOPES",
    "NewKey",
    "allows",
    "authenticate_key",
    "brake",
    "by_email",
    "by_id",
    "by_id_with_alerts",
    "change_password",
    "choose_language",
    "create_key",
    "create_user",
    "demo_user",
    "emails_of",
    "invite",
    "keys",
    "may_enter",
    "offer_reset",
    "open_link",
    "revoke_key",
    "set_active",
    "sign_in",
    "sign_in_demo",
    "use_link",
    "users",
]
