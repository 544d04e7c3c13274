"""What needs somebody of a site now: the portal's first page."""

from datetime import timedelta
from typing import Final

from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.critical_values import queries as critical_queries
from reading_worklist.critical_values.queries import CriticalFilter
from reading_worklist.critical_values.states import UNHEARD, CriticalState
from reading_worklist.portal import queries
from reading_worklist.portal.road import Need
from reading_worklist.portal.schemas import ExamFilter, ExamPage, HomeView
from reading_worklist.reports import version_queries
from reading_worklist.retakes import queries as retake_queries
from reading_worklist.retakes import states as retake_states
from reading_worklist.retakes.queries import RetakeFilter
from storage.clock import utc_now

_SHOWN: Final = 5
_UNOPENED_WITHIN: Final = timedelta(days=30)


def home(session: Session, scope: Scope) -> HomeView:
    """Return what waits for the site of who asks, each list with its first five."""

    def some(wanted: ExamFilter) -> ExamPage:
        return queries.exams(session, scope, wanted, page=1, page_size=_SHOWN)

    recently = utc_now() - _UNOPENED_WITHIN
    return HomeView(
        critical=critical_queries.listed(
            session,
            scope,
            CriticalFilter(states=[*UNHEARD, CriticalState.ACKED]),
            page=1,
            page_size=_SHOWN,
        ),
        retakes=retake_queries.listed(
            session,
            scope,
            RetakeFilter(states=sorted(retake_states.WAITING)),
            page=1,
            page_size=_SHOWN,
        ),
        attention=some(ExamFilter(needs=Need.ATTENTION)),
        unopened=some(ExamFilter(needs=Need.UNOPENED, queued_after=recently)),
        late=some(ExamFilter(needs=Need.LATE)),
        recalls=version_queries.recalls_to_know(session, scope),
    )
