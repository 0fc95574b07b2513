"""API keys: listing and revoking the caller's own. They are made on the account's page and by `flask keys create`."""

from flask import Blueprint, Response

from blueprints import guards
from blueprints.api import bodies, shapes
from patchbay import accounts
from patchbay.errors import N_, Forbidden

bp = Blueprint("api_keys", __name__, url_prefix="/api/keys")

PAGING = bodies.paging("key")


@bp.get("")
@guards.signed_in
def list_keys() -> Response:
    """The caller's keys, newest first, revoked ones included, without their secret."""
    given = bodies.query(*PAGING)
    found, next_cursor = accounts.keys(guards.user().id, cursor=given["cursor"], limit=given["limit"])
    return bodies.page_of([shapes.key(key) for key in found], next_cursor)


@bp.delete("/<key_id>")
@guards.signed_in
def revoke_key(key_id: str) -> Response:
    """End a key for good. A key may end itself; only one with all scopes may end the others."""
    used = guards.key()
    if used is not None and used.id != key_id and "*" not in used.scopes:
        raise Forbidden(sentence=N_("This key lacks the scope %(scope)s."), scope="*")
    accounts.revoke_key(guards.user().id, key_id)
    return bodies.answered({"success": True})
