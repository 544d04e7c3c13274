"""Answers to what a search asks and we do not understand."""

from http import HTTPStatus

from reading_worklist.problems import Problem


def bad_parameter(name: str, known: str) -> Problem:
    """Return the answer for a parameter that is not known here."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "bad-parameter",
        f"The search parameter {name[:60]!r} is not supported here",
        expected=known,
        remedy="Leave it out; nothing is searched that is not understood.",
    )


def bad_value(name: str, expected: str) -> Problem:
    """Return the answer for a value that its parameter cannot have."""
    return Problem(
        HTTPStatus.BAD_REQUEST,
        "bad-parameter",
        f"The value of {name!r} is not understood",
        expected=expected,
    )
