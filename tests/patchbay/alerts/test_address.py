"""Signing what is posted to an address; the vectors are those of the Standard Webhooks libraries."""

import pytest

from patchbay.alerts import address

FIRST, SECOND = "whsec_MfKQ9r8GKYqrTwjUPD8ILPZIo2LaLaSw", "whsec_C2FVsBQIhrscChlQIMV+b5sSYspob7oD"
BODY = b'{"test": 2432232314}'


@pytest.mark.parametrize(
    ("secret", "body", "expected"),
    [
        (FIRST, BODY, "g0hM9SsE+OTPJTGt/tmIKtSyZlE3uFJELVlNIOLJ1OE="),
        (FIRST, b"", "v48jdbgvh29KJz2Qc+ghw8G6vG3nAKnujWBg8oM/62A="),
        (SECOND, BODY, "78nXHjpFP0tVJQW5D0SBwmVyyW87BV/rL6MgfM/Bw44="),
    ],
)
def test_signatures_are_those_of_standard_webhooks(secret: str, body: bytes, expected: str) -> None:
    made = address.signature(secret, "msg_p5jXN8AQM9LWM0D4loKWxJek", 1614265330, body)

    assert made == f"v1,{expected}"
