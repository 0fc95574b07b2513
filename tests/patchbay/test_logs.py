"""The log: one line per event, with its ids, from every library, without secrets."""

import io
import json
import logging
from collections.abc import Callable, Iterator

import pytest
import structlog

from patchbay import logs

Lines = Callable[[], list[dict[str, object]]]


@pytest.fixture(autouse=True)
def _logging_as_before() -> Iterator[None]:
    root = logging.getLogger()
    handlers, level = root.handlers[:], root.level
    structlog.contextvars.clear_contextvars()
    yield
    root.handlers[:] = handlers
    root.setLevel(level)
    structlog.reset_defaults()
    structlog.contextvars.clear_contextvars()


@pytest.fixture
def lines() -> Lines:
    stream = io.StringIO()
    logs.configure(stream=stream)
    return lambda: [json.loads(line) for line in stream.getvalue().splitlines()]


def test_line_is_json_when_nobody_watches(lines: Lines) -> None:
    structlog.get_logger("patchbay.runs").info("page saved", records=250, shop="Čaj & Kafe")

    (line,) = lines()
    assert line.pop("timestamp").endswith("Z")  # type: ignore[attr-defined] # JSON text
    assert line == {
        "event": "page saved",
        "level": "info",
        "logger": "patchbay.runs",
        "records": 250,
        "shop": "Čaj & Kafe",
    }


def test_standard_logging_takes_the_same_way(lines: Lines) -> None:
    logging.getLogger("somewhere").warning("took %d ms", 12)

    (line,) = lines()
    assert (line["event"], line["level"], line["logger"]) == ("took 12 ms", "warning", "somewhere")


def test_line_carries_the_ids_that_are_bound(lines: Lines) -> None:
    structlog.contextvars.bind_contextvars(request_id="req_1")
    with structlog.contextvars.bound_contextvars(run_id="run_1"):
        structlog.get_logger().info("inside")
        logging.getLogger("somewhere").warning("inside too")
    structlog.get_logger().info("after")
    structlog.contextvars.clear_contextvars()
    structlog.get_logger().info("later")

    ids = [(line.get("request_id"), line.get("run_id")) for line in lines()]
    assert ids == [("req_1", "run_1"), ("req_1", "run_1"), ("req_1", None), (None, None)]


def test_secrets_are_masked_by_name_and_by_look(lines: Lines) -> None:
    structlog.get_logger().info(
        "token answer Bearer s3cr3t-abc",
        access_token="s3cr3t-abc",
        answer={"refreshToken": "s3cr3t-abc", "scope": "read"},
        headers={"Authorization": "Basic s3cr3t-abc"},
        url="https://hub.example/cb?code=s3cr3t-abc&shop=demo",
    )

    (line,) = lines()
    assert "s3cr3t" not in json.dumps(line)
    assert line["answer"] == {"refreshToken": "***", "scope": "read"}
    assert line["url"] == "https://hub.example/cb?code=***&shop=demo"


def test_secrets_of_other_libraries_are_masked(lines: Lines) -> None:
    logging.getLogger("somewhere").warning("sending %s", {"client_secret": "s3cr3t-abc"})

    assert "s3cr3t" not in json.dumps(lines())


def test_secrets_in_a_traceback_are_masked(lines: Lines) -> None:
    try:
        raise ValueError("GET /cb?code=s3cr3t-abc failed")
    except ValueError:
        structlog.get_logger().exception("callback failed")
        logging.getLogger("somewhere").exception("failed")

    both = lines()
    assert "s3cr3t" not in json.dumps(both)
    assert all("ValueError: GET /cb?code=*** failed" in str(line["exception"]) for line in both)


@pytest.mark.parametrize("name", ["authlib.oauth2.client", "urllib3.connectionpool", "rq.worker"])
def test_chatty_libraries_speak_up_only_when_it_matters(name: str) -> None:
    stream = io.StringIO()
    logs.configure(level="debug", stream=stream)

    logging.getLogger(name).info("verifier abc")
    logging.getLogger(name).warning("matters")

    assert "verifier" not in stream.getvalue()
    assert "matters" in stream.getvalue()


def test_level_leaves_out_what_is_below(lines: Lines) -> None:
    structlog.get_logger().debug("detail")
    logging.getLogger("somewhere").debug("detail")

    assert lines() == []


def test_line_is_for_people_at_a_terminal() -> None:
    class Terminal(io.StringIO):
        def isatty(self) -> bool:
            return True

    stream = Terminal()
    logs.configure(stream=stream)

    structlog.get_logger().info("page saved", records=250, token="s3cr3t")
    try:
        raise ValueError("state=1")
    except ValueError:
        structlog.get_logger().exception("failed")

    assert "page saved" in stream.getvalue()
    assert not stream.getvalue().startswith("{")
    assert "s3cr3t" not in stream.getvalue()
    assert "ValueError" in stream.getvalue()


def test_second_set_up_replaces_the_first() -> None:
    first, second = io.StringIO(), io.StringIO()
    logs.configure(stream=first)
    logger = structlog.get_logger()
    logger.info("one")

    logs.configure(stream=second, as_json=True)
    logger.info("two")

    assert ("one" in first.getvalue(), "two" in first.getvalue()) == (True, False)
    assert second.getvalue().count("two") == 1


def test_halves_of_characters_do_not_lose_a_line(lines: Lines) -> None:
    try:
        raise ValueError("no \ud800")
    except ValueError:
        structlog.get_logger("patchbay.runs").exception("a run failed", name="\udfff")

    (line,) = lines()
    assert line["name"] == "?"
    assert "no ?" in str(line["exception"])
