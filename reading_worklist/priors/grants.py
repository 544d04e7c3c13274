"""The images of one reading: its own study, and the earlier ones its reader has opened.

They have a DICOMweb root of their own, under which a viewer shows studies of several sites beside
each other. What lies under it is decided anew for each reader and each reading.
"""

import threading
import time
from collections import OrderedDict
from dataclasses import dataclass
from typing import Final
from uuid import UUID

from sqlalchemy import select
from sqlalchemy.orm import Session

from reading_worklist.access.scope import Scope
from reading_worklist.priors.queries import priors_of
from reading_worklist.priors.tables import PriorOpening

FRESH_SECONDS: Final = 1.0
_KEPT_MAX: Final = 1024


@dataclass(frozen=True, slots=True)
class Granted:
    """The studies under the root of a reading, their Study Instance UIDs, and their sites."""

    study_ids: frozenset[UUID]
    study_uids: frozenset[str]
    site_ids: frozenset[UUID]


def granted(session: Session, scope: Scope, workitem_id: UUID) -> Granted:
    """Return what the asker sees under the root of a reading: what he opened and still may see.

    Raises:
        Problem: 403 for who does not read, 404 for an unseen workitem.
    """
    priors = priors_of(session, scope, workitem_id)
    opened = set(
        session.scalars(
            select(PriorOpening.study_id).where(
                PriorOpening.workitem_id == workitem_id,
                PriorOpening.person_id == scope.person_id,
                PriorOpening.organisation_id == scope.organisation_id,
            )
        )
    )
    own = priors.reading.study
    studies = [own] + [
        one.study for one in priors.found if one.study.id in opened and priors.is_visible(one)
    ]
    return Granted(
        frozenset(one.id for one in studies),
        frozenset(one.study_instance_uid for one in studies),
        frozenset(one.site_id for one in studies),
    )


class RecentGrants:
    """Remembers for `FRESH_SECONDS` what was granted: a viewer asks for hundreds of frames.

    So long may a reason that has run out still have effect. Thread-safe, bounded.
    """

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._kept: OrderedDict[tuple[UUID, UUID, UUID], tuple[float, Granted]] = OrderedDict()

    def recall(self, scope: Scope, workitem_id: UUID, study_uid: str | None) -> Granted | None:
        """Return what was granted to the asker just now, if the study is among it, else None.

        So nobody is refused for what he opened a moment ago.
        """
        found = self._kept.get((scope.person_id, scope.organisation_id, workitem_id))
        if found is None or found[0] <= time.monotonic() or study_uid not in found[1].study_uids:
            return None
        return found[1]

    def note(self, scope: Scope, workitem_id: UUID, what: Granted) -> None:
        """Remember what was just granted."""
        key = (scope.person_id, scope.organisation_id, workitem_id)
        with self._lock:
            self._kept[key] = (time.monotonic() + FRESH_SECONDS, what)
            self._kept.move_to_end(key)
            while len(self._kept) > _KEPT_MAX:
                self._kept.popitem(last=False)
