"""A study is complete when its device has finished and everything it lists is here."""

from datetime import timedelta

from sqlalchemy import select

from storage.clock import utc_now
from storage.database import Database
from storage.index.completion import (
    complete_performed_studies,
    complete_quiet_studies,
    missing_instances,
)
from storage.index.tables import Study, StudyState
from storage.orders import performed
from storage.orders.performed import NewPerformedStep
from storage.orders.states import PerformedState
from tests.support.orders import ACTOR
from tests.support.seed import Consortium


def test_a_listed_instance_that_is_not_here_is_missed(
    database: Database, consortium: Consortium
) -> None:
    study = consortium.complete_study()
    with database.transaction() as session:
        performed.begin(
            session,
            ACTOR,
            NewPerformedStep(
                site_id=study.site_id,
                device_id=consortium.east_device.id,
                sop_instance_uid="1.2.3",
                study_instance_uid=study.study_instance_uid,
                accession_number=None,
                requested_procedure_id=None,
                step_ids=[],
                modality="CT",
                station_ae_title="EAST_CT",
                dataset=b"",
                transfer_syntax_uid="1.2",
            ),
        )
        performed.update(
            session,
            ACTOR,
            site_id=study.site_id,
            sop_instance_uid="1.2.3",
            state=PerformedState.COMPLETED,
            instance_uids=["1.2.3.4"],
            dataset=b"",
            transfer_syntax_uid="1.2",
        )
    with database.transaction() as session:
        again = session.get_one(Study, study.id)
        assert missing_instances(session, again) == 1
        again.state = StudyState.RECEIVING
        again.quiet_due_at = utc_now() + timedelta(hours=1)
        session.flush()
        assert complete_performed_studies(session) == 0
        again.quiet_due_at = utc_now() - timedelta(seconds=1)
        session.flush()
        assert complete_quiet_studies(session) == 1
        assert session.scalars(select(Study.generation)).one() == 2
