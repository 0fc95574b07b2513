"""One log for everything: JSON for machines, columns for people, each line with its ids and without secrets.

What does not live here: what counts as a secret (`redaction`), and the log lines of a run that its page shows (`runs`).
"""

import logging
import sys
from typing import TextIO

import structlog
from structlog.typing import EventDict, Processor, WrappedLogger

from patchbay import clock
from patchbay.errors import storable
from patchbay.redaction import redact

# Authlib writes PKCE verifiers at DEBUG, urllib3 paths with queries; rq reports jobs, which our own lines do better,
# and Alembic what it is about to do, in answer to any question.
_QUIET = ("alembic", "authlib", "urllib3", "rq")


def configure(*, level: str = "INFO", stream: TextIO | None = None, as_json: bool | None = None) -> None:
    """Route structlog and the standard library's logging to `stream` (default: stdout as it is now).

    `as_json` None means: JSON unless the stream is a terminal. May be called again; the last call holds.
    """
    out = stream or sys.stdout
    is_json = not out.isatty() if as_json is None else as_json
    handler = logging.StreamHandler(out)
    handler.setFormatter(_formatter(is_json=is_json, colors=out.isatty()))
    root = logging.getLogger()
    root.handlers[:] = [handler]
    root.setLevel(level.upper())
    _quieten()
    structlog.configure(
        processors=[
            structlog.stdlib.filter_by_level,
            *_enrich(),
            structlog.stdlib.ProcessorFormatter.wrap_for_formatter,
        ],
        logger_factory=structlog.stdlib.LoggerFactory(),
        wrapper_class=structlog.stdlib.BoundLogger,
        cache_logger_on_first_use=False,  # a cached logger would keep the processors of an earlier call
    )


def redacted(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """The processor that every line passes last before it is rendered."""
    shown = redact(dict(line))
    line.update(shown if isinstance(shown, dict) else {})
    return line


def _quieten() -> None:
    """Libraries set levels on loggers of their own (rq.worker does), which would win over their parent's."""
    for name in _QUIET:
        logging.getLogger(name).setLevel(logging.WARNING)
    for name, logger in logging.root.manager.loggerDict.items():
        if name.split(".")[0] in _QUIET and "." in name and isinstance(logger, logging.Logger):
            logger.setLevel(logging.NOTSET)


def _enrich() -> list[Processor]:
    return [
        structlog.contextvars.merge_contextvars,
        structlog.stdlib.add_logger_name,
        structlog.stdlib.add_log_level,
        structlog.stdlib.PositionalArgumentsFormatter(),
        _add_timestamp,
        structlog.processors.StackInfoRenderer(),
        structlog.processors.format_exc_info,
        _writable,
    ]


def _add_timestamp(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    line["timestamp"] = clock.iso(clock.now())
    return line


def _writable(_logger: WrappedLogger, _method: str, line: EventDict) -> EventDict:
    """A platform may send halves of characters, which no stream takes: a line with them would be lost."""
    return {name: storable(value) if isinstance(value, str) else value for name, value in line.items()}


def _formatter(*, is_json: bool, colors: bool) -> structlog.stdlib.ProcessorFormatter:
    renderer: Processor
    if is_json:
        renderer = structlog.processors.JSONRenderer(ensure_ascii=False)
    else:
        # Tracebacks were made text before, so that they pass the redaction too.
        plain = structlog.dev.plain_traceback
        renderer = structlog.dev.ConsoleRenderer(colors=colors, exception_formatter=plain)
    return structlog.stdlib.ProcessorFormatter(
        foreign_pre_chain=_enrich(),
        processors=[structlog.stdlib.ProcessorFormatter.remove_processors_meta, redacted, renderer],
        keep_exc_info=False,
    )
