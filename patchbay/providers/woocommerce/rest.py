"""Answers of a store's REST API: where it is, what stands before the JSON, and what stands in headers.

What is asked lives in `catalogue` and `publishing`.
"""

import re
from dataclasses import replace
from typing import TypeVar

from patchbay.errors import UnexpectedShape
from patchbay.spec import Answer, Api

API = "https://{store}/wp-json/wc/v3"

T = TypeVar("T")


def read(api: Api, answer: Answer, shape: type[T]) -> T:
    """The JSON of an answer, without the notices that some stores print before it."""
    begin = re.search(rb'\[\]|\[?\{"', answer.body)
    return api.read(replace(answer, body=answer.body[begin.start() :]) if begin else answer, shape)


def counted(answer: Answer) -> int:
    """How many entries a list has in all its pages. Raises UnexpectedShape: without it nobody knows where it ends."""
    total = answer.headers.get("x-wp-total", "")
    if not total.isdigit():
        raise UnexpectedShape("woocommerce: the list has no X-WP-Total", provider="WooCommerce")
    return int(total)
