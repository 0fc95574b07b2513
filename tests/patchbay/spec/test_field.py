"""Fields: what comes in is put into its stored form, or refused by name; nothing is half-accepted."""

from typing import Any

import pytest

from patchbay.errors import Invalid
from patchbay.spec import Field, Kind, check

NAME = Field("name", "Name", max_length=10)
COUNT = Field("count", "Count", Kind.NUMBER, required=False, default=5, lowest=1, highest=10)


def test_absent_values_get_their_default_or_none() -> None:
    optional = Field("note", "Note", required=False)

    assert check((NAME, COUNT, optional), {"name": "x"}) == {"name": "x", "count": 5, "note": None}


TARGET = Field("target", "Target", Kind.CHOICE, choices=("listing", "draft"), default="listing")
TITLE = Field("title", "Title", only_if=("target", ("draft",)))


def test_a_field_that_depends_on_a_choice_is_needed_with_that_choice_alone() -> None:
    with pytest.raises(Invalid) as refused:
        check((TARGET, TITLE), {"target": "draft"})

    assert set(refused.value.fields) == {"title"}
    assert check((TARGET, TITLE), {}) == {"target": "listing", "title": None}
    assert check((TARGET, TITLE), {"target": "draft", "title": "Mug"}) == {"target": "draft", "title": "Mug"}


def test_a_value_that_does_not_go_with_the_choice_is_refused_by_name() -> None:
    with pytest.raises(Invalid) as refused:
        check((TARGET, TITLE), {"target": "listing", "title": "Mug"})

    assert set(refused.value.fields) == {"title"}


def test_every_problem_is_named_at_once() -> None:
    with pytest.raises(Invalid) as refused:
        check((NAME, COUNT), {"count": 11, "surprise": 1})

    assert set(refused.value.fields) == {"name", "count", "surprise"}


@pytest.mark.parametrize(
    ("kind", "value"),
    [
        (Kind.TEXT, 7), (Kind.TEXT, ["a"]), (Kind.TEXT, {"a": 1}), (Kind.TEXT, True), (Kind.TEXT, "a\x00b"),
        (Kind.TEXT, "x" * 2001), (Kind.TEXT, "   "), (Kind.NUMBER, "ten"), (Kind.NUMBER, 1.5), (Kind.NUMBER, True),
        (Kind.NUMBER, "1e3"), (Kind.NUMBER, "９"), (Kind.NUMBER, -1), (Kind.NUMBER, 10**30), (Kind.NUMBER, "9" * 400),
        (Kind.BOOLEAN, "maybe"), (Kind.BOOLEAN, 1), (Kind.BOOLEAN, ["on"]), (Kind.CHOICE, "c"), (Kind.CHOICE, ["a"]),
        (Kind.CHOICE, {"a": 1}), (Kind.PICTURES, "https://example.org"), (Kind.PICTURES, [7]),
        (Kind.PICTURES, ["x" * 2001]), (Kind.PICTURES, ["x"] * 11), (Kind.MAPPING, []), (Kind.MAPPING, "a"),
    ],
)  # fmt: skip
def test_values_of_another_kind_are_refused(kind: Kind, value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        check((Field("value", "Value", kind, choices=("a", "b")),), {"value": value})

    assert list(refused.value.fields) == ["value"]


@pytest.mark.parametrize(
    ("kind", "value", "kept"),
    [
        (Kind.TEXT, "  x ", "x"), (Kind.NUMBER, " 7 ", 7), (Kind.NUMBER, 0, 0), (Kind.BOOLEAN, "on", True),
        (Kind.BOOLEAN, "false", False), (Kind.BOOLEAN, False, False), (Kind.CHOICE, "a", "a"),
        (Kind.PICTURES, ["https://example.org/a.png"], ["https://example.org/a.png"]),
        (Kind.MAPPING, {"a": 1}, {"a": 1}),
    ],
)  # fmt: skip
def test_values_are_kept_in_one_form(kind: Kind, value: Any, kept: Any) -> None:
    assert check((Field("value", "Value", kind, choices=("a", "b")),), {"value": value}) == {"value": kept}


def test_a_pattern_must_match_all_of_the_text() -> None:
    field = Field("shop", "Shop", pattern=r"[a-z]+\.example", mismatch="No shop.")

    with pytest.raises(Invalid) as refused:
        check((field,), {"shop": "a.example.org"})

    assert refused.value.fields == {"shop": "No shop."}


@pytest.mark.parametrize(
    ("value", "kept"),
    [
        ("21.99", "21.99"),
        ("21.9", "21.90"),
        ("21", "21.00"),
        (" 5 ", "5.00"),
        (21, "21.00"),
        (21.5, "21.50"),
        ("0.01", "0.01"),
    ],
)
def test_an_amount_is_kept_with_two_places(value: Any, kept: str) -> None:
    assert check((Field("price", "Price", Kind.MONEY),), {"price": value}) == {"price": kept}


@pytest.mark.parametrize(
    "value",
    ["21,99", "1.999", "-1", "1e3", "NaN", "Infinity", "9" * 10, "1000001", "٣", "", " ", True, ["1"], {"a": 1},
     0.1 + 0.2, 1e22, float("nan"), float("inf"), "1.", ".5", "1 000", "0x10"],
)  # fmt: skip
def test_what_is_no_amount_is_refused(value: Any) -> None:
    with pytest.raises(Invalid) as refused:
        check((Field("price", "Price", Kind.MONEY),), {"price": value})

    assert list(refused.value.fields) == ["price"]


def test_an_amount_has_bounds() -> None:
    field = Field("price", "Price", Kind.MONEY, lowest=1, highest=50)

    assert check((field,), {"price": "50"}) == {"price": "50.00"}
    for value in ("0.99", "50.01"):
        with pytest.raises(Invalid):
            check((field,), {"price": value})


@pytest.mark.parametrize("target", [["draft"], {"draft": 1}, 7, True, "elsewhere", "\x00"])
def test_a_choice_that_is_none_asks_for_nothing_behind_it(target: Any) -> None:
    with pytest.raises(Invalid) as refused:
        check((TARGET, TITLE), {"target": target})

    assert set(refused.value.fields) == {"target"}


def test_a_field_that_is_not_asked_for_has_no_default() -> None:
    count = Field("count", "Count", Kind.NUMBER, default=1, only_if=("target", ("draft",)))

    assert check((TARGET, count), {})["count"] is None
    assert check((TARGET, count), {"target": "draft"})["count"] == 1


@pytest.mark.parametrize("value", [[], "", None])
def test_an_empty_value_is_as_good_as_none(value: Any) -> None:
    assert check((TARGET, TITLE), {"title": value}) == {"target": "listing", "title": None}
    with pytest.raises(Invalid):
        check((NAME,), {"name": value})


def test_a_secret_is_not_repeated_when_it_is_refused() -> None:
    field = Field("secret", "Secret", Kind.SECRET, pattern="cs_.+", mismatch="No secret.")

    with pytest.raises(Invalid) as refused:
        check((field,), {"secret": "hunter2"})

    assert "hunter2" not in f"{refused.value!r} {refused.value.fields}"


def test_a_list_may_hold_anything() -> None:
    assert check((Field("parts", "Parts", Kind.LIST),), {"parts": [{"a": 1}, 7]}) == {"parts": [{"a": 1}, 7]}


@pytest.mark.parametrize("value", [{}, {"a": 1}, "a", 7, True])
def test_what_is_no_list_is_refused(value: Any) -> None:
    with pytest.raises(Invalid):
        check((Field("parts", "Parts", Kind.LIST),), {"parts": value})
