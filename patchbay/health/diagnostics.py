"""What is handed to whoever is asked for help: versions, settings, checks, connections, runs and their logs, redacted.

It is made to be shown to strangers: no token, key or password, no input or result of a run, no content of records,
and not even whose accounts they are. Whatever text there is passes the redaction.
"""

import io
import json
import platform
import zipfile
from collections.abc import Mapping, Sequence
from dataclasses import fields
from datetime import datetime
from typing import Any

import sqlalchemy
from sqlalchemy import select

from patchbay import __version__, clock, queue, settings
from patchbay.health import conditions, signs
from patchbay.models import WITHOUT_CONTENT, Heartbeat, Run, RunLog, User, db
from patchbay.redaction import redact

RUNS = 50
LOGGED_RUNS = 5
LINES = 200


def bundle(user: User, run: Run | None = None) -> bytes:
    """A zip of JSON files about the user's connections and newest runs, or about one run of theirs.

    An administrator's also tells of the installation: its settings, processes and queue.
    """
    runs = [run] if run is not None else _newest_runs(user.id)
    files: dict[str, object] = {
        "about.json": _about(),
        "checks.json": signs.checks(),
        "connections.json": _connections(user.id, run),
        "runs.json": [_run(one) for one in runs],
    }
    if user.is_admin:
        files["installation.json"] = _installation()
    for one in runs[:LOGGED_RUNS]:
        files[f"logs/{one.id}.json"] = _log(one.id)
    return _zipped(files)


def _about() -> dict[str, object]:
    here = settings.current()
    return {
        "madeAt": clock.now(),
        "patchbay": __version__,
        "python": platform.python_version(),
        "system": f"{platform.system()} {platform.release()} {platform.machine()}",
        "sqlalchemy": sqlalchemy.__version__,
        "database": db.engine.dialect.name,
        "sandbox": here.sandbox,
    }


def _installation() -> dict[str, object]:
    """Settings but for the secret ones, which `Settings` keeps out of its own repr as well."""
    here = settings.current()
    heartbeats = db.session.execute(select(Heartbeat.name, Heartbeat.at).order_by(Heartbeat.name))
    return {
        "settings": {one.name: getattr(here, one.name) for one in fields(here) if one.repr},
        "heartbeats": {beat.name: beat.at for beat in heartbeats},
        "queueDepth": queue.depth(),
    }


def _connections(user_id: str, run: Run | None) -> list[dict[str, object]]:
    return [
        _connection(one) for one in conditions.of_user(user_id) if run is None or one.connection.id == run.connection_id
    ]


def _connection(condition: conditions.Condition) -> dict[str, object]:
    connection, verdict = condition.connection, condition.verdict
    return {
        "id": connection.id,
        "integration": connection.integration_id,
        "connectionState": connection.state,
        "health": verdict.state,
        "reason": verdict.reason,
        "remedy": verdict.remedy,
        "isSandbox": connection.is_sandbox,
        "scopes": connection.scopes,
        "chosen": sorted(connection.settings),
        "hasAccess": connection.access_token_sealed is not None,
        "canRenew": connection.refresh_token_sealed is not None,
        "accessEndsAt": connection.token_expires_at,
        "renewalEndsAt": connection.refresh_expires_at,
        "renewals": connection.token_version,
        "connectedAt": connection.connected_at,
        "lastSyncedAt": connection.last_synced_at,
        "calls": condition.figures.counts,
        "p95Ms": condition.figures.p95_ms,
        "answeredAt": condition.reached.answered_at,
        "changedAt": condition.reached.changed_at,
        "nextAt": condition.next_at,
    }


def _run(run: Run) -> dict[str, object]:
    return {
        "id": run.id,
        "connection": run.connection_id,
        "integration": run.integration_id,
        "operation": run.operation,
        "trigger": run.trigger,
        "status": run.status,
        "waitReason": run.wait_reason,
        "counts": run.counts,
        "attempts": run.attempts,
        "error": run.error_kind,
        "detail": run.error_detail,
        "requestId": run.request_id,
        "createdAt": run.created_at,
        "startedAt": run.started_at,
        "endedAt": run.ended_at,
        "resumesAt": run.resumes_at,
    }


def _newest_runs(user_id: str) -> list[Run]:
    mine = select(Run).where(Run.user_id == user_id).options(*WITHOUT_CONTENT)
    return list(db.session.scalars(mine.order_by(Run.id.desc()).limit(RUNS)))


def _log(run_id: str) -> list[dict[str, object]]:
    newest = select(RunLog).where(RunLog.run_id == run_id).order_by(RunLog.id.desc()).limit(LINES)
    lines: Sequence[RunLog] = db.session.scalars(newest).all()
    return [
        {"at": line.at, "level": line.level, "message": line.message, "params": line.params} for line in reversed(lines)
    ]


def _zipped(files: Mapping[str, object]) -> bytes:
    """Redacted as text again at the last step, whatever was put in before."""
    made = io.BytesIO()
    with zipfile.ZipFile(made, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, content in files.items():
            archive.writestr(name, json.dumps(redact(_plain(content)), ensure_ascii=False, indent=2))
    return made.getvalue()


def _plain(value: object) -> Any:
    """JSON's own types, so that the redaction sees every text as what it is."""
    return json.loads(json.dumps(value, default=_text))


def _text(value: object) -> str:
    return clock.iso(value) if isinstance(value, datetime) else str(value)
