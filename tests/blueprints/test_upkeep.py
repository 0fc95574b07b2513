"""Pages that keep records in step: deletions to decide about, comparisons, rules, edits and where they clash."""

from collections.abc import Callable

import pytest
from flask import Flask
from flask.testing import FlaskClient

from patchbay import records, runs
from patchbay.models import Connection, Run, User, Winner, transaction
from patchbay.records import edits, rules
from patchbay.spec import Item
from tests.blueprints.pages import HTMX, path_of, post, text_of
from tests.stage import Queue, Walker, in_context

Login = Callable[[FlaskClient, User], str]
STREAM = "/integrations/shopify/streams/products"


@pytest.fixture
def token(client: FlaskClient, ada: User, login: Login) -> str:
    """Ada is signed in; this is her session's token."""
    return login(client, ada)


@pytest.fixture
def shop(client: FlaskClient, ada: User, token: str, connect: Walker, queue: Queue) -> Connection:
    """Ada's shop, its twelve products imported."""
    connection = connect(ada, "shopify", shop="demo-shop")
    import_all(client, token, queue)
    return connection


def import_all(client: FlaskClient, token: str, queue: Queue) -> str:
    """Sync once; the path of the run."""
    answer = post(client, "/integrations/shopify/sync", token, operation="import_products")
    queue.run_all()
    return path_of(answer)


def newest_run(app: Flask, user: User) -> Run:
    with in_context(app):
        return runs.page(runs.Query(user.id), cursor=None, limit=1)[0][0]


def first_record(app: Flask, user: User) -> str:
    with in_context(app):
        return records.page(records.Query(user.id), cursor=None, limit=1)[0][0].id


@pytest.fixture
def held(app: Flask, client: FlaskClient, token: str, shop: Connection, queue: Queue, ada: User) -> str:
    """The path of a run that would delete 60 records which the shop does not have."""
    with in_context(app), transaction() as session:
        plants = [Item(f"gid://shopify/Product/9{n:04}", f"Gone {n}", {"id": str(n), "images": []}) for n in range(60)]
        records.upsert(session.merge(shop), "products", "run_of_a_test", plants)
    import_all(client, token, queue)
    return f"/runs/{newest_run(app, ada).id}"


# -- deletions


def test_a_run_that_would_delete_much_leads_to_its_preview(client: FlaskClient, held: str) -> None:
    run, preview = client.get(held), client.get(f"{held}/deletions")

    assert "Nothing was deleted yet." in text_of(run)
    assert f"{held}/deletions" in run.get_data(as_text=True)
    assert "60 of 72 records" in text_of(preview)
    assert "Delete these 60 records" in text_of(preview)
    assert "waits for your decision" in text_of(client.get("/integrations/shopify"))


def test_the_preview_comes_in_pages(client: FlaskClient, held: str) -> None:
    first = client.get(f"{held}/deletions").get_data(as_text=True)
    more = first[first.index('id="load-more" href="') :].split('"')[3].replace("&amp;", "&")

    second = client.get(more, headers=HTMX).get_data(as_text=True)

    rows = [part.split('"')[0] for part in (first + second).split('<tr id="record-')[1:]]
    assert len(rows) == len(set(rows)) == 60


def test_deleting_is_decided_on_the_page_and_can_be_undone(client: FlaskClient, token: str, held: str) -> None:
    decided = post(client, f"{held}/deletions/confirm", token)
    after = text_of(client.get(path_of(decided)))
    twice = post(client, f"{held}/deletions/keep", token)
    undone = post(client, f"{held}/deletions/undo", token)

    assert decided.status_code == undone.status_code == 303
    assert "They can be brought back until" in after
    assert twice.status_code == 409
    assert "Brought back" in text_of(client.get(path_of(undone)))
    assert "Gone 1" in text_of(client.get("/records?q=gone"))


def test_records_can_be_kept(client: FlaskClient, token: str, held: str, queue: Queue) -> None:
    post(client, f"{held}/deletions/keep", token)
    import_all(client, token, queue)

    assert "Gone 1" in text_of(client.get("/records?q=gone"))
    assert "Waits for you" not in text_of(client.get(held))


def test_deletions_of_another_user_are_not_there(client: FlaskClient, held: str, cleo: User, login: Login) -> None:
    token = login(client, cleo)

    assert client.get(f"{held}/deletions").status_code == 404
    for deed in ("confirm", "keep", "undo"):
        assert post(client, f"{held}/deletions/{deed}", token).status_code == 404


# -- comparisons and rules


def test_a_comparison_shows_what_disagrees_and_offers_the_repair(
    app: Flask, client: FlaskClient, token: str, shop: Connection, queue: Queue, ada: User
) -> None:
    with in_context(app), transaction() as session:
        records.upsert(
            session.merge(shop),
            "products",
            "run_of_a_test",
            [Item("gid://shopify/Product/9", "Gone <b>", {"id": "9", "images": []})],
        )
    compared = path_of(post(client, f"{STREAM}/compare", token))
    queue.run_all()

    page = client.get(f"{compared}/differences")
    repaired = path_of(post(client, f"{compared}/repair", token))
    queue.run_all()

    assert "Comparison" in text_of(client.get(compared))
    assert "Gone <b>" in text_of(page)
    assert "Deleted there" in text_of(page)
    assert "Gone <b>" not in text_of(client.get(f"{compared}/differences?kind=missing"))
    assert "1 deleted" in text_of(client.get(repaired))
    assert "See the repair" in text_of(client.get(f"{compared}/differences"))
    assert compared in client.get(STREAM).get_data(as_text=True)


def test_rules_are_kept_and_nonsense_comes_back_with_a_reason(
    app: Flask, client: FlaskClient, token: str, shop: Connection
) -> None:
    kept = post(client, f"{STREAM}/rules", token, deletionPercent="35", edits="ask")
    refused = post(client, f"{STREAM}/rules", token, deletionPercent="350", edits="ask")

    assert (kept.status_code, refused.status_code) == (303, 422)
    assert "This number is out of range." in text_of(refused)
    with in_context(app):
        assert rules.values_of(rules.of_stream(shop, "products")) == {
            "deletionPercent": 35, "edits": "ask", "comparesWeekly": False
        }  # fmt: skip


@pytest.mark.parametrize("path", ["/integrations/shopify/streams/orders", "/integrations/nowhere/streams/products"])
def test_a_stream_that_there_is_not_is_not_found(client: FlaskClient, shop: Connection, path: str) -> None:
    assert client.get(path).status_code == 404


def test_a_stream_that_is_not_connected_is_a_conflict(client: FlaskClient, token: str) -> None:
    assert client.get(STREAM).status_code == 409


# -- edits


def test_an_edit_is_made_shown_and_ended(
    app: Flask, client: FlaskClient, token: str, shop: Connection, ada: User
) -> None:
    record = f"/records/{first_record(app, ada)}"
    form = client.get(f"{record}/edit")
    edited = post(client, f"{record}/edit", token, title="Mine <i>", description="")
    shown = text_of(client.get(path_of(edited)))
    ended = text_of(client.get(path_of(post(client, f"{record}/revert", token))))

    assert "nothing changes at Shopify" in text_of(form)
    assert "Mine <i>" in shown
    assert "Edited here" in shown
    assert "Edited here" not in ended


def test_an_edit_that_cannot_be_comes_back_with_a_reason(
    app: Flask, client: FlaskClient, token: str, shop: Connection, ada: User
) -> None:
    refused = post(client, f"/records/{first_record(app, ada)}/edit", token, title="", description="kept as typed")

    assert refused.status_code == 422
    assert "This field is needed." in text_of(refused)
    assert "kept as typed" in text_of(refused)


def test_a_clash_is_decided_from_the_list(
    app: Flask, client: FlaskClient, token: str, shop: Connection, ada: User
) -> None:
    record_id = first_record(app, ada)
    with in_context(app):
        rules.change(shop, "products", {"edits": "ask"})
        record = edits.change(ada.id, record_id, {"title": "Mine"})
        with transaction() as session:
            theirs = Item(record.external_id, "Theirs", {**record.data, "title": "Theirs"})
            records.upsert(session.merge(shop), "products", "run_of_a_test", [theirs])
        ((clash, _),), _ = edits.open_clashes(ada.id, cursor=None, limit=1)
    listed = text_of(client.get("/records/clashes"))

    decided = post(client, f"/records/clashes/{clash.id}", token, winner="remote")

    assert "Mine" in listed
    assert "Theirs" in listed
    assert decided.status_code == 303
    assert "Nothing to decide." in text_of(client.get("/records/clashes"))
    assert "the change" in text_of(client.get(f"/records/{record_id}"))
    assert post(client, f"/records/clashes/{clash.id}", token, winner=Winner.OPEN).status_code == 422
