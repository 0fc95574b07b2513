"""Runs: the list, one run with its log, and the parts that pages fetch again and again.

Imports are started in `connections`, what has a form in `operations`.
"""

from typing import Any

from flask import Blueprint, Response, render_template, request, url_for
from flask_babel import gettext as _
from flask_babel import ngettext

from blueprints import forms, guards, rendering
from blueprints.rendering import formats
from blueprints.shown.cards import card_of
from blueprints.shown.runs import RunPage, RunRow
from blueprints.streams import Look, Message, open_stream
from patchbay import catalog, connections, providers, runs
from patchbay.models import LogLevel, Run, RunLog, RunStatus, fresh_view

bp = Blueprint("runs", __name__, url_prefix="/runs")
A_PAGE = 50
LINES = 200


@bp.get("")
@guards.scoped("runs:read")
def index() -> Response:
    """All runs, newest first, narrowed by `status` and `integration`."""
    user_id = guards.user().id
    status, integration = forms.sought("status"), forms.sought("integration")
    query = runs.Query(user_id, integration or None, RunStatus(status) if status in set(RunStatus) else None)
    cursor = request.args.get("cursor")
    found, following = runs.page(query, cursor=cursor, limit=A_PAGE)
    narrowed = {"status": query.status, "integration": query.integration_id}
    mine = [providers.get(key) for key in connections.of_user(user_id)]
    return rendering.page_or_fragment(
        "runs/index.html",
        "runs/_rows.html",
        runs=[RunRow(run, providers.get(run.integration_id)) for run in found],
        filters={"status": query.status or "", "integration": query.integration_id or "", "integrations": mine},
        more_address=forms.here(**narrowed, cursor=following) if following else None,
        is_more=cursor is not None,
    )


@bp.get("/<run_id>")
@guards.scoped("runs:read")
def show(run_id: str) -> Response:
    """One run; the part that polls gets 204 while version `v` is the newest."""
    run = runs.get(guards.user().id, run_id)
    if rendering.wants_fragment() and _is_known(run):
        return rendering.unchanged()
    if rendering.wants_fragment():
        return rendering.render("runs/_status.html", run=_page_of(run))
    return rendering.render("runs/show.html", run=_page_of(run), **_log_of(run))


@bp.get("/<run_id>/card")
@guards.scoped("runs:read")
def card(run_id: str) -> Response:
    """The integration's card, for as long as the run goes on; 204 while version `v` is the newest."""
    run = runs.get(guards.user().id, run_id)
    if _is_known(run) and run.is_open:
        return rendering.unchanged()
    if not run.is_open:
        _tell_end(run)
    return _card(run.integration_id)


@bp.get("/<run_id>/events")
@guards.scoped("runs:read")
def events(run_id: str) -> Response:
    """New log lines as a stream; as a part that polls, when asked for or when there is no room for a stream."""
    run = runs.get(guards.user().id, run_id)
    after, level = _last_seen(), _level()
    stream = None if "poll" in request.args else open_stream(_look(run, after, level))
    if stream is not None:
        return stream
    lines = runs.logs(run.id, after=after, level=level)
    last_id = lines[-1].id if lines else after
    return rendering.never_stored(
        rendering.render("runs/_polled_lines.html", run=run, lines=lines, level=level or "", last_id=last_id)
    )


@bp.post("/<run_id>/cancel")
@guards.scoped("runs:write")
def cancel(run_id: str) -> Response:
    """Stop a run: at once, or at its next step."""
    run = runs.cancel(guards.user().id, run_id)
    if rendering.wants_fragment() and request.form.get("on") == "card":
        return _card(run.integration_id)
    if rendering.wants_fragment():
        return rendering.render("runs/_status.html", run=_page_of(run))
    return rendering.see_other(url_for("runs.show", run_id=run.id))


@bp.post("/<run_id>/retry")
@guards.scoped("runs:write")
def retry(run_id: str) -> Response:
    """Once more; an import goes on from its checkpoint."""
    run = runs.retry(guards.user().id, run_id)
    return rendering.see_other(url_for("runs.show", run_id=run.id))


def _is_known(run: Run) -> bool:
    return request.args.get("v") == str(run.version)


def _page_of(run: Run) -> RunPage:
    connection = connections.find(run.user_id, run.integration_id)
    return RunPage(run, providers.get(run.integration_id), connection.account_label if connection else "")


def _card(key: str) -> Response:
    return rendering.render("catalog/_card.html", card=card_of(catalog.entry(guards.user().id, key)))


def _tell_end(run: Run) -> None:
    name = providers.get(run.integration_id).name
    if run.status is RunStatus.SUCCEEDED:
        count = run.progress_done
        told = {"name": name, "count": formats.number(count)}
        rendering.toast(
            ngettext("%(name)s is synced: %(count)s item.", "%(name)s is synced: %(count)s items.", count, **told)
        )
    elif run.status is RunStatus.FAILED:
        rendering.toast(_("The sync with %(name)s failed.", name=name), "err")


def _log_of(run: Run) -> dict[str, Any]:
    """What the log shows: its last lines, or those in front of `before`; live unless the reader paused it."""
    level, before = _level(), request.args.get("before", type=int)
    lines = runs.newest_logs(run.id, before=before, level=level, limit=LINES)
    earlier = None
    if len(lines) == LINES:
        earlier = url_for("runs.show", run_id=run.id, before=lines[0].id, level=level, live="off")
    return {
        "lines": lines,
        "live": request.args.get("live") != "off" and before is None,
        "level": level or "",
        "last_id": lines[-1].id if lines else 0,
        "earlier_address": earlier,
    }


def _look(run: Run, after: int, level: LogLevel | None) -> Look:
    """Finds the lines behind `after` at each call; it was the last when the run has ended and none is left."""
    user_id, run_id = run.user_id, run.id

    def look() -> tuple[list[Message], bool]:
        nonlocal after
        fresh_view()
        is_open = runs.get(user_id, run_id).is_open
        lines = runs.logs(run_id, after=after, level=level)
        messages = [_message(line) for line in lines]
        fresh_view()
        after = messages[-1].id if messages else after
        return messages, not is_open and not messages

    return look


def _message(line: RunLog) -> Message:
    return Message(line.id, render_template("runs/_lines.html", lines=[line]))


def _last_seen() -> int:
    """The last line that the reader has: the later of what a dropped stream had come to and what the page showed."""
    sent = request.headers.get("Last-Event-ID", "")
    shown = request.args.get("after", 0, type=int)
    return max(int(sent), shown) if sent.isascii() and sent.isdigit() else shown


def _level() -> LogLevel | None:
    level = request.args.get("level", "")
    return LogLevel(level) if level in set(LogLevel) else None
