"""What stands in the way of a message: a sentence, and whether trying again could help."""

from dataclasses import dataclass


@dataclass(frozen=True)
class Problem:
    """`sentence` is a message id without placeholders; `is_final`: another try would end the same."""

    sentence: str
    is_final: bool = False
