"""The names that `queue` sends to the workers lead to functions, each of which takes one id."""

import inspect
from pathlib import Path
from pkgutil import resolve_name

import pytest

from patchbay import queue


@pytest.mark.parametrize("job", queue.ALL, ids=lambda job: job.function)
def test_a_jobs_name_leads_to_a_function_that_takes_an_id(job: queue.Job) -> None:
    function = resolve_name(job.function)

    parameters = list(inspect.signature(function).parameters.values())
    assert [parameter.annotation for parameter in parameters] == [str]
    assert inspect.signature(function).return_annotation is None


@pytest.mark.parametrize("job", queue.ALL, ids=lambda job: job.function)
def test_a_job_has_a_queue_that_is_worked_on_and_a_limit(job: queue.Job) -> None:
    assert job.queue in queue.QUEUES
    assert 0 < job.timeout_s <= 24 * 3600


def test_every_job_is_in_the_list() -> None:
    declared = {value for value in vars(queue).values() if isinstance(value, queue.Job)}

    assert declared == set(queue.ALL)


def test_nothing_is_sent_by_a_name_of_its_own() -> None:
    root = Path(queue.__file__).parent.parent
    sources = [*root.glob("patchbay/**/*.py"), *root.glob("blueprints/**/*.py"), *root.glob("jobs/**/*.py")]

    senders = {path.name for path in sources if "enqueue_call(" in path.read_text(encoding="utf-8")}

    assert senders == {"queue.py"}
