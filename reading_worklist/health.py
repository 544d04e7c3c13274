"""Is the process alive, can it serve, and what does it count."""

from http import HTTPStatus

from fastapi import APIRouter, Response
from sqlalchemy import text
from sqlalchemy.exc import SQLAlchemyError

from reading_worklist.problems import Problem
from reading_worklist.services import Parts
from storage.metering.exposition import CONTENT_TYPE, exposition

router = APIRouter(tags=["health"])


@router.get("/healthz")
def alive() -> dict[str, str]:
    """Answer as long as the process runs."""
    return {"status": "ok"}


@router.get("/readyz")
def ready(services: Parts) -> dict[str, str]:
    """Answer 200 when requests can be served: the database answers, and we are not about to stop.

    Raises:
        Problem: 503, naming what is missing.
    """
    if services.leaving.is_set():
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "not-ready",
            "This process is being stopped",
            remedy="Ask another one.",
        )
    try:
        with services.database.transaction() as session:
            session.execute(text("SELECT 1"))
    except SQLAlchemyError as error:
        raise Problem(
            HTTPStatus.SERVICE_UNAVAILABLE,
            "not-ready",
            "The database does not answer",
            remedy="See 'rdc status' on the server.",
        ) from error
    return {"status": "ready"}


@router.get("/metrics", include_in_schema=False)
def metrics(services: Parts) -> Response:
    """Return what all processes of this machine have counted, for Prometheus."""
    directory = services.config.metrics_dir
    content = b"" if directory is None else exposition(directory)
    return Response(content, media_type=CONTENT_TYPE)
