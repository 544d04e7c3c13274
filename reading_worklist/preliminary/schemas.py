"""Preliminary reports as the API gives them."""

from datetime import datetime

from pydantic import BaseModel

from reading_worklist.workitems.schemas import WorkitemView


class PreliminaryView(BaseModel):
    """A preliminary report that is out and waits for the final one.

    issued_at: when it went out. due_at: until when the final review is due. late: that has passed.
    """

    workitem: WorkitemView
    issued_at: datetime
    due_at: datetime
    late: bool


class PreliminaryPage(BaseModel):
    """A page of preliminary reports, the first due first; late: how many of all are."""

    items: list[PreliminaryView]
    total: int
    late: int
    page: int
    page_size: int
