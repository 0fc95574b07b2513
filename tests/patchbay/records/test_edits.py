"""Edits made here: shown, kept apart from the platform's values, and settled where both changed the same field."""

from collections.abc import Callable
from typing import Any

import pytest

from patchbay import records
from patchbay.errors import Conflict, Invalid, NotFound
from patchbay.models import Clash, Connection, Record, Run, User, Winner, fresh_view
from patchbay.records import edits, rules
from tests.patchbay.records.stand import Stand

pytestmark = pytest.mark.usefixtures("context")

BringIn = Callable[[], Run]


@pytest.fixture
def record(bring_in: BringIn, ada: User) -> Record:
    """A thing called "first 000", with the note "first"."""
    bring_in()
    return records.page(records.Query(ada.id), cursor=None, limit=1)[0][0]


def reread(record: Record) -> Record:
    fresh_view()
    return records.get(record.user_id, record.id)


def clashes(record: Record) -> list[tuple[str, Any, Any, Winner]]:
    return [(one.field, one.local_value, one.remote_value, one.winner) for one in edits.clashes_of(record)]


def only_open(user: User) -> Clash:
    ((clash, _),), _ = edits.open_clashes(user.id, cursor=None, limit=10)
    return clash


def test_an_edit_is_shown_and_the_platforms_value_stays(record: Record, ada: User) -> None:
    edits.change(ada.id, record.id, {"title": "Mine"})

    edited = reread(record)
    assert (edited.title, edited.content["title"], edited.data["title"]) == ("Mine", "Mine", "first 000")
    assert [found.id for found in records.page(records.Query(ada.id, search="mine"), cursor=None, limit=9)[0]] == [
        record.id
    ]


def test_an_edit_outlives_imports_that_change_something_else(
    record: Record, ada: User, stand: Stand, bring_in: BringIn
) -> None:
    edits.change(ada.id, record.id, {"title": "first 000 ", "note": "mine"})
    stand.things["001"] = "second"

    bring_in()

    assert dict(reread(record).content) == {"id": "000", "title": "first 000", "note": "mine"}
    assert reread(record).local == {"note": "mine"}
    assert clashes(record) == []


@pytest.mark.parametrize(
    ("rule", "shown", "winner"),
    [
        ("remote_wins", "second 000", Winner.REMOTE),
        ("local_wins", "Mine", Winner.LOCAL),
        ("ask", "Mine", Winner.OPEN),
    ],
)
def test_where_both_changed_the_rule_decides_and_the_loser_is_kept(
    rule: str, shown: str, winner: Winner, record: Record, linked: Connection, ada: User, stand: Stand,
    bring_in: BringIn,
) -> None:  # fmt: skip
    rules.change(linked, "things", {"edits": rule})
    edits.change(ada.id, record.id, {"title": "Mine"})
    stand.things["000"] = "second"

    bring_in()

    met = reread(record)
    assert (met.title, met.content["title"], met.data["title"]) == (shown, shown, "second 000")
    assert clashes(met) == [("title", "Mine", "second 000", winner)]
    assert met.content["note"] == "second"


def test_a_change_that_comes_to_the_same_ends_the_edit(
    record: Record, ada: User, stand: Stand, bring_in: BringIn
) -> None:
    edits.change(ada.id, record.id, {"note": "second"})
    stand.things["000"] = "second"

    bring_in()

    assert (reread(record).local, clashes(record)) == (None, [])


@pytest.mark.parametrize(("winner", "shown"), [(Winner.LOCAL, "Mine"), (Winner.REMOTE, "second 000")])
def test_who_was_asked_decides_once(
    winner: Winner, shown: str, record: Record, linked: Connection, ada: User, stand: Stand, bring_in: BringIn
) -> None:
    rules.change(linked, "things", {"edits": "ask"})
    edits.change(ada.id, record.id, {"title": "Mine"})
    stand.things["000"] = "second"
    bring_in()
    clash = only_open(ada)

    edits.decide(ada.id, clash.id, winner)
    bring_in()

    assert reread(record).title == shown
    assert edits.count_open(ada.id) == 0
    with pytest.raises(Conflict):
        edits.decide(ada.id, clash.id, winner)


def test_a_later_change_takes_the_place_of_an_open_question(
    record: Record, linked: Connection, ada: User, stand: Stand, bring_in: BringIn
) -> None:
    rules.change(linked, "things", {"edits": "ask"})
    edits.change(ada.id, record.id, {"title": "Mine"})
    for content in ("second", "third"):
        stand.things["000"] = content
        bring_in()

    assert only_open(ada).remote_value == "third 000"


def test_an_edit_can_be_ended(record: Record, ada: User) -> None:
    edits.change(ada.id, record.id, {"title": "Mine", "note": ""})

    edits.revert(ada.id, record.id)

    assert (reread(record).title, reread(record).local) == ("first 000", None)


def test_line_ends_as_forms_send_them_are_no_edit(record: Record, ada: User) -> None:
    edits.change(ada.id, record.id, {"note": "first\r\n"})

    assert reread(record).local is None


@pytest.mark.parametrize(
    ("values", "field"),
    [({"id": "7"}, "id"), ({"title": ""}, "title"), ({"title": 5}, "title"), ({"title": "x" * 51}, "title"),
     ({"title": "a\x00b"}, "title"), ({"unheard": "of"}, "unheard")],
)  # fmt: skip
def test_what_cannot_be_edited_is_refused_by_field(
    values: dict[str, Any], field: str, record: Record, ada: User
) -> None:
    with pytest.raises(Invalid) as refused:
        edits.change(ada.id, record.id, values)

    assert list(refused.value.fields) == [field]


def test_what_has_vanished_cannot_be_edited(record: Record, ada: User, stand: Stand, bring_in: BringIn) -> None:
    del stand.things["000"]
    bring_in()

    with pytest.raises(Conflict):
        edits.change(ada.id, record.id, {"title": "Mine"})


def test_records_and_clashes_of_another_user_are_not_found(
    record: Record, linked: Connection, ada: User, cleo: User, stand: Stand, bring_in: BringIn
) -> None:
    rules.change(linked, "things", {"edits": "ask"})
    edits.change(ada.id, record.id, {"title": "Mine"})
    stand.things["000"] = "second"
    bring_in()

    with pytest.raises(NotFound):
        edits.change(cleo.id, record.id, {"title": "Hers"})
    with pytest.raises(NotFound):
        edits.revert(cleo.id, record.id)
    with pytest.raises(NotFound):
        edits.decide(cleo.id, only_open(ada).id, Winner.REMOTE)
    assert edits.count_open(cleo.id) == 0


@pytest.mark.parametrize(
    "values", [{"deletionPercent": 101}, {"deletionPercent": "many"}, {"edits": "mine"}, {"comparesWeekly": "perhaps"}]
)
def test_rules_that_make_no_sense_are_refused(values: dict[str, Any], linked: Connection) -> None:
    with pytest.raises(Invalid) as refused:
        rules.change(linked, "things", values)

    assert list(refused.value.fields) == list(values)
