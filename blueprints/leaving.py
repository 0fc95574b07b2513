"""Taking one's data along, and leaving: archives of all that is the reader's, and deleting the account.

What both do lives in `patchbay.accounts.exports` and `patchbay.accounts.leaving`.
"""

from collections.abc import Mapping

from flask import Blueprint, Response, send_file, url_for
from flask_babel import gettext as _

from blueprints import forms, guards, rendering
from patchbay import connections, providers
from patchbay.accounts import by_id, exports, leaving
from patchbay.errors import Invalid, NotFound
from patchbay.models import User

bp = Blueprint("leaving", __name__)
NO_ERRORS: Mapping[str, str] = {}


@bp.get("/account/data")
@guards.scoped("*")
def show() -> Response:
    """The reader's archives, and the way out."""
    return _page(NO_ERRORS)


@bp.post("/account/exports")
@guards.scoped("*")
def export() -> Response:
    """Have an archive made."""
    exports.ask(guards.user().id)
    return rendering.see_other(url_for("leaving.show"))


@bp.get("/account/exports/<export_id>.zip")
@guards.scoped("*")
def download(export_id: str) -> Response:
    """The archive, for its owner alone."""
    path = exports.file_of(exports.get(guards.user().id, export_id))
    response = send_file(path, mimetype="application/zip", as_attachment=True, download_name="patchbay-data.zip")
    return rendering.never_stored(response)


@bp.post("/account/exports/<export_id>/withdraw")
@guards.scoped("*")
def withdraw(export_id: str) -> Response:
    """Call an archive off that is being made, or delete it."""
    exports.withdraw(guards.user().id, export_id)
    return rendering.see_other(url_for("leaving.show"))


@bp.post("/account/delete")
@guards.scoped("*")
def leave() -> Response:
    """Delete the reader's account; they are signed out at once."""
    try:
        leaving.ask_for_oneself(guards.user(), forms.untouched("password"))
    except Invalid as error:
        return _page(error.fields, status=422)
    guards.sign_out()
    rendering.toast(_("Your account is being deleted. Your connections are ended at their platforms first."))
    return rendering.see_other(url_for("home.index"))


@bp.get("/admin/users/<user_id>/delete")
@guards.admin_only
def confirm(user_id: str) -> Response:
    """What goes with a user, and the button."""
    user = _found(user_id)
    return rendering.render("admin/user_delete.html", person=user, connected=_connected(user.id))


@bp.post("/admin/users/<user_id>/delete")
@guards.admin_only
def delete(user_id: str) -> Response:
    """Delete a user with all that is theirs."""
    email = _found(user_id).email
    leaving.ask(user_id, asked_by=guards.user().id)
    rendering.toast(_("%(email)s is being deleted.", email=email))
    return rendering.see_other(url_for("admin.users"))


def _page(errors: Mapping[str, str], *, status: int = 200) -> Response:
    user = guards.user()
    mine, connected = exports.of_user(user.id), _connected(user.id)
    return rendering.render("accounts/data.html", status=status, exports=mine, connected=connected, errors=errors)


def _connected(user_id: str) -> list[str]:
    """The names of the platforms that are connected."""
    found = connections.of_user(user_id).values()
    return sorted(providers.get(one.integration_id).name for one in found if one.state != "disconnected")


def _found(user_id: str) -> User:
    user = by_id(user_id)
    if user is None:
        raise NotFound(user_id)
    return user
