"""The reader of Etsy's declarations notices what does not fit, in calls and in answers."""

import json
from dataclasses import replace
from typing import Any

import pytest

from tests.conformance import etsy_declarations
from tests.conformance.recording import Exchange

MONEY = {"amount": 1250, "divisor": 100, "currency_code": "EUR"}
LISTING = {"listing_id": 7, "title": "Mug", "state": "draft", "price": MONEY, "tags": ["gift"], "shop_section_id": None}
DRAFT = "quantity=5&title=Mug&description=x&price=12.50&who_made=i_did&when_made=1990s&taxonomy_id=1"
CREATED = Exchange(
    method="POST",
    host="openapi.etsy.com",
    path="/v3/application/shops/5/listings",
    query=(),
    headers={"content-type": "application/x-www-form-urlencoded"},
    body=DRAFT.encode(),
    status=201,
    answer_headers={},
    answer=json.dumps(LISTING).encode(),
)
LISTED = replace(
    CREATED,
    method="GET",
    query=(("state", "draft"), ("limit", "100"), ("includes", "Images,Inventory")),
    headers={},
    body=b"",
    status=200,
    answer=json.dumps({"count": 1, "results": [LISTING]}).encode(),
)


def misfits(exchange: Exchange) -> list[str]:
    return [misfit.partition(": ")[2] for misfit in etsy_declarations.misfits(exchange)]


def test_the_whole_document_is_read() -> None:
    assert len(etsy_declarations.operations()) > 100
    assert len(etsy_declarations.interfaces()["ShopListing"]) > 40


def test_what_fits_has_no_misfits() -> None:
    assert misfits(CREATED) == misfits(LISTED) == []
    assert etsy_declarations.names(CREATED) == ("CreateDraftListing",)


@pytest.mark.parametrize(
    ("changed", "words"),
    [
        ({"colour": "red"}, "ShopListing.colour is not declared"),
        ({"listing_id": "7"}, "ShopListing.listing_id: '7' is no number"),
        ({"listing_id": 0}, "ShopListing.listing_id: 0 is out of bounds"),
        ({"listing_id": None}, "ShopListing.listing_id must not be null"),
        ({"state": "sold"}, "ShopListing.state: 'sold' is none of its choices"),
        ({"tags": "gift"}, "ShopListing.tags: str in place of a list"),
        ({"tags": [7]}, "ShopListing.tags[0]: 7 is no string"),
        ({"price": {**MONEY, "amount": "12.50"}}, "ShopListing.price.amount: '12.50' is no number"),
        ({"price": 12.5}, "ShopListing.price: float in place of an object"),
        ({"is_taxable": 1}, "ShopListing.is_taxable: 1 is no boolean"),
    ],
)
def test_an_answer_that_differs_is_named(changed: dict[str, Any], words: str) -> None:
    answer = json.dumps({**LISTING, **changed}).encode()

    assert misfits(replace(CREATED, answer=answer)) == [words]


@pytest.mark.parametrize(
    ("form", "words"),
    [
        (DRAFT.replace("title=Mug&", ""), "form: title is missing"),
        (f"{DRAFT}&colour=red", "form: colour is not declared"),
        (DRAFT.replace("i_did", "me"), "form.who_made: 'me' is none of its choices"),
        (DRAFT.replace("quantity=5", "quantity=some"), "form.quantity: 'some' is no number"),
        (f"{DRAFT}&is_supply=maybe", "form.is_supply: 'maybe' is no boolean"),
        (f"{DRAFT}&image_ids=1,two", "form.image_ids[1]: 'two' is no number"),
    ],
)
def test_a_form_that_differs_is_named(form: str, words: str) -> None:
    assert misfits(replace(CREATED, body=form.encode())) == [words]


@pytest.mark.parametrize(
    ("query", "words"),
    [
        ((("limit", "101"),), "query.limit: 101 is out of bounds"),
        ((("state", "sold"),), "query.state: 'sold' is none of its choices"),
        ((("includes", "Images,Colour"),), "query.includes[1]: 'Colour' is none of its choices"),
        ((("page", "2"),), "query: page is not declared"),
    ],
)
def test_a_query_that_differs_is_named(query: tuple[tuple[str, str], ...], words: str) -> None:
    assert misfits(replace(LISTED, query=query)) == [words]


def test_other_differences_are_named() -> None:
    as_json = replace(CREATED, headers={"content-type": "application/json"})

    assert misfits(as_json) == ["CreateDraftListing takes application/x-www-form-urlencoded, not application/json"]
    assert misfits(replace(CREATED, status=200)) == ["CreateDraftListing has no such status"]
    assert misfits(replace(LISTED, path="/v3/application/colours")) == ["there is no such call"]


def test_a_file_in_a_form_stands_as_its_name() -> None:
    body = (
        b'--x\r\nContent-Disposition: form-data; name="rank"\r\n\r\n3\r\n'
        b'--x\r\nContent-Disposition: form-data; name="image"; filename="a.png"\r\nContent-Type: image/png\r\n\r\n'
        b"\x89PNG\r\n--x--\r\n"
    )
    upload = replace(CREATED, headers={"content-type": "multipart/form-data; boundary=x"}, body=body)

    assert etsy_declarations.form_of(upload) == {"rank": "3", "image": "a.png"}
