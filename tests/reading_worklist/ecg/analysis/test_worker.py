"""ECGs that arrive are analysed once, raise what they must and lower nothing."""

from sqlalchemy import select, update

from reading_worklist.critical_values.states import CriticalState
from reading_worklist.critical_values.tables import CriticalValue
from reading_worklist.ecg.analysis import service
from reading_worklist.ecg.analysis.tables import AnalysisState, EcgTask
from reading_worklist.ecg.analysis.worker import analyse_study
from reading_worklist.identity import arrival
from reading_worklist.routing import service as routing
from reading_worklist.workitems.tables import Workitem
from storage.clock import utc_now
from storage.ecg.leads import Lead
from storage.objects import ObjectStoreUnavailable
from storage.orders.words import Priority
from tests.reading_worklist.ecg.analysis.conftest import EcgCentre
from tests.support import heart

INFERIOR = {Lead.II: 300.0, Lead.I: 0.0}


def values(centre: EcgCentre) -> list[CriticalValue]:
    with centre.database.transaction() as session:
        return list(session.scalars(select(CriticalValue)))


def test_a_sound_ecg_is_measured_and_raises_nothing(centre: EcgCentre) -> None:
    study_id = centre.arrived(heart.dicom_of(heart.beats_at(heart.regular(72))))
    (found,) = centre.analyses(study_id)
    assert found.state is AnalysisState.DONE
    assert found.measurement is not None
    assert found.triage is not None
    assert found.quality is not None
    assert not found.repeat
    assert found.quality["findings"] == []
    assert found.triage["hints"] == []
    rate = next(one for one in found.measurement["values"] if one["name"] == "heart_rate")
    assert abs(rate["value"] - 72) < 1
    assert found.thumbnail is not None
    assert found.thumbnail.startswith("<svg")
    assert found.cpu_ms > 0
    item = centre.workitem(study_id)
    assert (item.priority, item.raised_to) == (Priority.ROUTINE, None)
    assert values(centre) == []
    assert not centre.analyse(study_id)


def test_st_elevation_raises_the_priority_and_opens_one_suspicion(centre: EcgCentre) -> None:
    study_id = centre.arrived(heart.dicom_of(heart.beats_at(heart.regular(70), st=INFERIOR)))
    (found,) = centre.analyses(study_id)
    assert found.triage is not None
    first = found.triage["hints"][0]
    assert first["text_en"].startswith("meets ST-elevation voltage criteria (II 0.3")
    assert {one["what"] for one in first["measured"]} == {"II", "III", "aVF"}
    (value,) = values(centre)
    assert value.state is CriticalState.SUSPECTED
    assert value.found_by is None
    assert value.ruleset == "st-elevation/1"
    assert value.finding.startswith("达到 ST 段抬高电压标准，II 0.3")
    assert found.critical_value_ids == [str(value.id)]
    item = centre.workitem(study_id)
    assert item.priority is Priority.STAT
    assert item.raised_to is Priority.STAT


def test_no_order_and_no_rule_lowers_what_a_hint_has_raised(centre: EcgCentre) -> None:
    study_id = centre.arrived(heart.dicom_of(heart.beats_at(heart.regular(70), st=INFERIOR)))
    with centre.database.transaction() as session:
        item = session.scalars(
            select(Workitem).where(Workitem.study_id == study_id).with_for_update()
        ).one()
        routing.route(session, item, arrival.WORKER)
        assert item.priority is Priority.STAT
        routing.raise_priority(session, item, Priority.ROUTINE, service.ACTOR)
        assert item.priority is Priority.STAT


def test_a_late_ecg_of_the_study_is_analysed_and_the_first_is_not_again(
    centre: EcgCentre,
) -> None:
    sound = heart.dicom_of(heart.beats_at(heart.regular(72)))
    study_id = centre.arrived(sound)
    before = centre.analyses(study_id)
    uids = {"StudyInstanceUID": str(heart.uid_of(sound))}
    centre.arrived(heart.dicom_of(heart.beats_at(heart.regular(70), st=INFERIOR), **uids))
    after = centre.analyses(study_id)
    assert len(after) == 2
    assert after[0].id == before[0].id
    assert after[0].analysed_at == before[0].analysed_at
    assert len(values(centre)) == 1
    assert centre.workitem(study_id).priority is Priority.STAT


def test_what_people_dismissed_is_not_suspected_again_for_the_same_ecg(
    centre: EcgCentre,
) -> None:
    study_id = centre.arrived(heart.dicom_of(heart.beats_at(heart.regular(70), st=INFERIOR)))
    (found,) = centre.analyses(study_id)
    assert found.triage is not None
    with centre.database.transaction() as session:
        session.execute(
            update(CriticalValue).values(
                state=CriticalState.DISMISSED,
                dismissed_by=centre.consortium.people["reviewer"].id,
                dismissed_at=utc_now(),
                dismissal_reason="早期复极",
                revision=1,
            )
        )
        # Another version of the method comes to the same.
        session.execute(update(service.EcgAnalysis).values(method_version="earlier"))
        session.execute(update(EcgTask).values(analysed_generation=0))
    assert centre.analyse(study_id)
    assert len(centre.analyses(study_id)) == 2
    assert len(values(centre)) == 1


def test_what_is_no_ecg_has_a_row_that_says_so(centre: EcgCentre) -> None:
    broken = heart.dicom_of(heart.beats_at(heart.regular(70)), WaveformSequence=[])
    study_id = centre.arrived(broken)
    (found,) = centre.analyses(study_id)
    assert found.state is AnalysisState.UNREADABLE
    assert found.error
    assert not centre.analyse(study_id)


def test_an_outage_of_the_object_store_puts_it_off(centre: EcgCentre) -> None:
    study_id = centre.receive(heart.dicom_of(heart.beats_at(heart.regular(70))))

    class Away:
        def __getattr__(self, _name: str) -> object:
            raise ObjectStoreUnavailable("the object store does not answer")

    assert not analyse_study(study_id, centre.database, Away())  # pyright: ignore[reportArgumentType]
    assert centre.analyses(study_id) == []
    with centre.database.transaction() as session:
        row = session.get_one(EcgTask, study_id)
        assert row.last_error is not None
        assert row.attempts == 1
    assert centre.analyse(study_id)
