"""The statements over HTTP.

GET /api/ecg-statements → StatementLibrary
"""

from fastapi import APIRouter
from pydantic import BaseModel

from reading_worklist.ecg.statements.library import EcgClass, library
from reading_worklist.services import Asking
from reading_worklist.workitems.routes import centre

router = APIRouter(prefix="/api", tags=["ecg"])


class StatementView(BaseModel):
    """One statement, see `library.Statement`."""

    id: str
    group: str
    zh: str
    en: str
    ecg_class: EcgClass | None
    key: str
    pinyin: str


class StatementLibrary(BaseModel):
    """Every statement that is offered, in the order of the library, and its version."""

    version: str
    statements: list[StatementView]


@router.get("/ecg-statements")
def get_statements(scope: Asking) -> StatementLibrary:
    """Return the statements that an ECG's report may be composed of."""
    centre(scope)
    return StatementLibrary(
        version=library().version,
        statements=[
            StatementView(
                id=one.id,
                group=one.group,
                zh=one.zh,
                en=one.en,
                ecg_class=one.ecg_class,
                key=one.key,
                pinyin=one.pinyin,
            )
            for one in library().statements.values()
            if not one.retired
        ],
    )
