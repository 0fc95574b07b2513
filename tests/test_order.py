"""The order in which several processes take the files of tests."""

from types import SimpleNamespace
from typing import Any

from tests import order


def items_of(**counts: int) -> list[Any]:
    """As many tests of each file; the first underscore of a name parts folder from file."""
    paths = {name: order.FOLDER / f"{name.replace('_', '/', 1)}.py" for name in counts}
    return [SimpleNamespace(path=paths[name]) for name, count in counts.items() for _ in range(count)]


def test_long_files_are_spread_over_the_first_part_and_the_largest_of_the_others_come_first() -> None:
    tests = items_of(browser_first=1, browser_second=1, patchbay_small=2, patchbay_large=10, sandbox_middling=5)

    files = list(dict.fromkeys(test.path.stem for test in order.spread(tests)))

    assert files == ["first", "large", "second", "middling", "small"]


def test_no_test_is_lost_and_a_file_keeps_its_own_order() -> None:
    tests = items_of(jobs_one=3, journeys_two=3)

    spread = order.spread(tests)

    assert sorted(map(id, spread)) == sorted(map(id, tests))
    assert [test for test in spread if test.path.stem == "one"] == tests[:3]


def test_long_files_of_one_kind_do_not_follow_one_another() -> None:
    tests = items_of(browser_one=1, browser_two=1, browser_three=1, journeys_four=1, journeys_five=1)

    files = list(dict.fromkeys(test.path.stem for test in order.spread(tests)))

    assert files == ["one", "four", "two", "five", "three"]
