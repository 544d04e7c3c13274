"""Where a page of the worklist ended, as an opaque word for the next request."""

import base64
import binascii
import json
from collections.abc import Sequence
from datetime import datetime
from http import HTTPStatus
from typing import Any
from uuid import UUID

from sqlalchemy import ColumnElement, tuple_

from reading_worklist.problems import Problem
from reading_worklist.worklist.narrowing import order_columns
from reading_worklist.worklist.schemas import Sort


def encode(sort: Sort, values: Sequence[Any]) -> str:
    """Return the word for the row with these values of the order's columns."""
    plain = [one if isinstance(one, int) else str(one) for one in values]
    return base64.urlsafe_b64encode(json.dumps([sort.value, *plain]).encode()).decode()


def after(sort: Sort, word: str) -> ColumnElement[bool]:
    """Return the SQL condition that a row comes after the one that `encode` had.

    Raises:
        Problem: 422 when it is no such word, or one of another order.
    """
    columns = order_columns(sort)
    try:
        said, *values = json.loads(base64.urlsafe_b64decode(word))
        if said != sort.value or len(values) != len(columns):
            raise _not_ours()
        *first, moment, row_id = values
        read = [*map(int, first), datetime.fromisoformat(moment), UUID(row_id)]
    except (binascii.Error, ValueError, TypeError, AttributeError) as error:
        raise _not_ours() from error
    row, last = tuple_(*columns), tuple_(*read)
    return row < last if sort is Sort.NEWEST else row > last


def _not_ours() -> Problem:
    return Problem(
        HTTPStatus.UNPROCESSABLE_ENTITY,
        "invalid-page",
        "The place to go on from is not understood",
        expected="what a page of the same order gave as 'next'",
        remedy="Begin at the first page.",
    )
