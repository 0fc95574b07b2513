"""That the reading by Meta's SDK finds what is wrong, and is silent about what is right."""

import pytest

from tests.conformance.graph_objects import FACEBOOK, INSTAGRAM, misfits_of_answer, misfits_of_request

BY_NAME = {call.name: call for call in (*FACEBOOK, *INSTAGRAM)}
PHOTOS = BY_NAME["Page.get_photos"]
CONTAINER = BY_NAME["IGUserForIGOnlyAPI.create_media"]


def test_every_call_is_one_that_the_sdk_has() -> None:
    for call in (*FACEBOOK, *INSTAGRAM):
        assert list(misfits_of_request(call, {"access_token": "t"})) == []


@pytest.mark.parametrize(
    ("parameters", "word"),
    [
        ({"colour": "blue"}, "colour is not declared"),
        ({"type": "sideways"}, "type is no type_enum"),
        ({"fields": "id,shoe_size"}, "shoe_size is not declared"),
        ({"fields": "id,images{source},shoe_size"}, "shoe_size is not declared"),
    ],
)
def test_a_request_that_the_sdk_would_not_make_is_a_misfit(parameters: dict[str, str], word: str) -> None:
    [misfit] = misfits_of_request(PHOTOS, parameters)

    assert word in misfit


@pytest.mark.parametrize(
    ("answer", "word"),
    [
        ({"data": [{"id": 7}]}, ""),
        ({"data": [{"id": "7", "width": "wide"}]}, "width"),
        ({"data": [{"id": "7", "width": True}]}, "width"),
        ({"data": [{"id": "7", "images": {}}]}, "images"),
        ({"data": [{"id": "7", "shoe_size": 44}]}, "shoe_size"),
        ({"data": [], "total": 3}, "total"),
        ({"data": [], "paging": {"cursor": "x"}}, "paging"),
    ],
)
def test_an_answer_that_the_sdk_could_not_read_is_a_misfit(answer: object, word: str) -> None:
    misfits = list(misfits_of_answer(PHOTOS, answer))

    assert len(misfits) == bool(word)
    assert all(word in misfit for misfit in misfits)


def test_the_object_of_an_answer_is_known_where_the_sdk_leaves_it_open() -> None:
    assert list(misfits_of_answer(CONTAINER, {"id": "17980000000000001"})) == []
    assert len(list(misfits_of_answer(CONTAINER, {"id": "17980000000000001", "quota_usage": 1}))) == 1
