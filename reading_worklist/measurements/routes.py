"""Measurements over HTTP, for the people of the centre.

    GET /api/workitems/{id}/measurements → MeasurementView[], of the latest report first

A viewer stores them in the study as a structured report, over STOW-RS with the reader's own
session. Live event: `workitem`. Problems: 403 forbidden · 404 not-found.
"""

from uuid import UUID

from fastapi import APIRouter

from reading_worklist.measurements import queries
from reading_worklist.measurements.schemas import MeasurementView
from reading_worklist.services import Asking, Parts
from reading_worklist.workitems.routes import centre

router = APIRouter(prefix="/api/workitems", tags=["reports"])


@router.get("/{workitem_id}/measurements")
def list_measurements(workitem_id: UUID, scope: Asking, services: Parts) -> list[MeasurementView]:
    """Return what was measured in the exam's images and stored with them."""
    return queries.measurements(services, centre(scope), workitem_id)
