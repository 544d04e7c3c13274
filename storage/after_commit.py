"""Doing something that is no part of a transaction once it has committed, and only then."""

from collections.abc import Callable

from sqlalchemy import event
from sqlalchemy.orm import Session


def after_commit(session: Session, act: Callable[[], None]) -> None:
    """Call `act` when the transaction of `session` has committed; never when it is rolled back.

    The end of a savepoint is none.
    """
    is_done = False

    def committed(ended: Session) -> None:
        nonlocal is_done
        if not is_done and not ended.in_nested_transaction():
            is_done = True
            act()

    def rolled_back(_ended: Session) -> None:
        nonlocal is_done
        is_done = True

    event.listen(session, "after_commit", committed)
    event.listen(session, "after_rollback", rolled_back)
