"""Which signing PINs are taken."""

import itertools
from typing import Final

from reading_worklist.signing.errors import PinTooWeak

PIN_LENGTH: Final = range(6, 65)


def check_pin(pin: str) -> None:
    """Refuse a new PIN that is short or among the first that anyone would try.

    Raises:
        PinTooWeak: with the rule that it breaks.
    """
    remedy = f"Choose {PIN_LENGTH.start} or more characters that are no simple row."
    if len(pin) not in PIN_LENGTH:
        raise PinTooWeak(
            "the signing PIN",
            expected=f"{PIN_LENGTH.start} to {PIN_LENGTH.stop - 1} characters",
            found=f"{len(pin)}",
            remedy=remedy,
        )
    steps = {ord(after) - ord(before) for before, after in itertools.pairwise(pin)}
    if steps in ({0}, {1}, {-1}):
        raise PinTooWeak("the signing PIN", found="a row such as 111111 or 123456", remedy=remedy)
