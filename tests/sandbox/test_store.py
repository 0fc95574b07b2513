"""Documents, blobs and counters, and that they outlive the process."""

from pathlib import Path

import pytest

from sandbox.store import Database, Store


@pytest.fixture
def store() -> Store:
    return Database().store("acme")


def test_document_comes_back_as_a_copy(store: Store) -> None:
    document = {"name": "mug", "tags": ["blue"]}
    store.put("files", "a", document)

    document["name"] = "changed"

    assert store.get("files", "a") == {"name": "mug", "tags": ["blue"]}


def test_pages_follow_key_order_to_the_end(store: Store) -> None:
    store.put_many("files", ((f"{number:03d}", {"n": number}) for number in range(7)))

    first = store.page("files", limit=3)
    second = store.page("files", first.next_cursor, 3)
    third = store.page("files", second.next_cursor, 3)

    seen = [document["n"] for page in (first, second, third) for document in page.documents]
    assert seen == list(range(7))
    assert third.next_cursor is None


def test_pages_go_backwards_too(store: Store) -> None:
    store.put_many("files", ((str(number), {"n": number}) for number in range(5)))

    first = store.page("files", limit=3, reverse=True)
    second = store.page("files", first.next_cursor, 3, reverse=True)

    assert [document["n"] for document in first.documents + second.documents] == [4, 3, 2, 1, 0]


def test_many_documents_are_counted_as_they_are_written(store: Store) -> None:
    assert store.put_many("files", ((str(number), {}) for number in range(1000))) == 1000
    assert store.put_many("files", []) == 0


def test_numbers_are_taken_one_by_one_or_many_at_once(store: Store) -> None:
    assert [store.next_number("n"), store.next_number("n", 10), store.next_number("n")] == [1, 11, 12]


def test_prefix_keeps_tenants_apart(store: Store) -> None:
    store.put("files", "ada/1", {})
    store.put("files", "ben/1", {})

    assert store.count("files", "ada/") == 1
    assert [key for key, _ in store.each("files", "ben/")] == ["ben/1"]


def test_platforms_do_not_see_each_other() -> None:
    database = Database()
    database.store("one").put("files", "a", {})

    assert database.store("two").get("files", "a") is None


def test_failed_transaction_leaves_nothing(store: Store) -> None:
    def fail_half_way() -> None:
        with store.transaction():
            store.put("files", "a", {})
            raise RuntimeError("half way")

    with pytest.raises(RuntimeError):
        fail_half_way()

    assert store.get("files", "a") is None


def test_clear_takes_documents_blobs_and_counters(store: Store) -> None:
    store.put("files", "a", {})
    store.put_blob("a", b"x")
    store.next_number("changes")

    store.clear()

    assert (store.count("files"), store.get_blob("a"), store.last_number("changes")) == (0, None, 0)


def test_state_file_survives_a_restart(tmp_path: Path) -> None:
    path = tmp_path / "state.sqlite"
    first = Database(path)
    first.store("acme").put("files", "a", {"n": 1})
    first.store("acme").put_blob("a", b"bytes")
    first.close()

    second = Database(path)

    assert second.store("acme").get("files", "a") == {"n": 1}
    assert second.store("acme").get_blob("a") == b"bytes"
    second.close()
