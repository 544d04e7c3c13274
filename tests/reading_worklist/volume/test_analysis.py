"""Studies received, looked at by the worker's task, and what the pages are told."""

import threading
from datetime import timedelta
from pathlib import Path

import SimpleITK
from pydicom import Dataset
from pydicom.uid import generate_uid
from sqlalchemy import select, update

from reading_worklist.study_tasks.service import PARK_AFTER
from reading_worklist.volume import service
from reading_worklist.volume.analysis import analyse
from reading_worklist.volume.findings import Code
from reading_worklist.volume.tables import QualityNote, SeriesMontage, StudyAnalysis
from storage.clock import utc_now
from storage.objects import ObjectKey, ObjectStoreUnavailable
from tests.reading_worklist.volume.conftest import Reading, slices_of, volume_image
from tests.support.web import Browser, application


def notes(reading: Reading) -> dict[Code, dict[str, object]]:
    with reading.database.transaction() as session:
        rows = session.scalars(select(QualityNote).where(QualityNote.superseded_at.is_(None)))
        return {row.code: row.parameters for row in rows}


def twin(dataset: Dataset) -> Dataset:
    """The slice again, as another instance with other pixels."""
    other = Dataset()
    other.update(dataset)
    other.file_meta = dataset.file_meta
    other.SOPInstanceUID = generate_uid()
    other.PixelData = bytes([dataset.PixelData[0] ^ 1]) + dataset.PixelData[1:]
    return other


def test_a_sound_volume_has_a_montage_and_no_notes(reading: Reading) -> None:
    study_id = reading.receive(slices_of(volume_image()))
    assert reading.look(study_id)
    assert notes(reading) == {}
    with reading.database.transaction() as session:
        montage = session.scalars(select(SeriesMontage)).one()
    jpeg = reading.objects.read(ObjectKey(montage.object_key))
    assert len(jpeg) == montage.object_size <= 60_000
    assert montage.tiles == 24
    assert not reading.look(study_id)


def test_faults_in_files_are_found(reading: Reading) -> None:
    slices = slices_of(volume_image())
    blank = slices[12]
    blank.PixelData = bytes(len(blank.PixelData))
    slices[18].PixelData = slices[17].PixelData
    doubled = twin(slices[3])
    del slices[7:9]
    reading.look(reading.receive([*slices, doubled]))
    found = notes(reading)
    assert set(found) == {
        Code.MISSING_SLICES,
        Code.DOUBLED_SLICES,
        Code.BLANK_SLICES,
        Code.REPEATED_CONTENT,
    }
    assert found[Code.MISSING_SLICES]["count"] == 2
    assert found[Code.BLANK_SLICES]["items"] == [{"number": 13}]
    assert found[Code.REPEATED_CONTENT]["items"] == [{"number": 19}]


def test_late_slices_supersede_the_note_that_they_are_missing(reading: Reading) -> None:
    slices = slices_of(volume_image())
    late = [slices.pop(7)]
    study_id = reading.receive(slices)
    reading.look(study_id)
    assert set(notes(reading)) == {Code.MISSING_SLICES}
    with reading.database.transaction() as session:
        before = session.scalars(select(SeriesMontage.object_key)).one()
    assert reading.receive(late) == study_id
    assert reading.look(study_id)
    assert notes(reading) == {}
    with reading.database.transaction() as session:
        kept = session.scalars(select(QualityNote)).one()
        after = session.scalars(select(SeriesMontage.object_key)).one()
    assert kept.superseded_at is not None
    assert kept.generation == 1
    assert reading.objects.stat(ObjectKey(before)) is None
    assert reading.objects.stat(ObjectKey(after)) is not None


def test_the_same_note_stays_the_same_over_completions(reading: Reading) -> None:
    slices = slices_of(volume_image(30))
    late = [slices.pop()]
    del slices[9]
    study_id = reading.receive(slices)
    reading.look(study_id)
    reading.receive(late)
    reading.look(study_id)
    with reading.database.transaction() as session:
        note = session.scalars(select(QualityNote)).one()
    assert note.generation == 1
    assert note.superseded_at is None


def test_the_enhanced_form_of_a_volume_is_checked_frame_by_frame(reading: Reading) -> None:
    slices = slices_of(volume_image())
    del slices[5]
    enhanced = slices[0]
    frames: list[Dataset] = []
    for one in slices:
        position, frame = Dataset(), Dataset()
        position.ImagePositionPatient = one.ImagePositionPatient
        frame.PlanePositionSequence = [position]
        frames.append(frame)
    orientation, measures, shared = Dataset(), Dataset(), Dataset()
    orientation.ImageOrientationPatient = enhanced.ImageOrientationPatient
    measures.PixelSpacing = enhanced.PixelSpacing
    shared.PlaneOrientationSequence = [orientation]
    shared.PixelMeasuresSequence = [measures]
    for keyword in ("ImagePositionPatient", "ImageOrientationPatient", "PixelSpacing"):
        delattr(enhanced, keyword)
    enhanced.SOPClassUID = "1.2.840.10008.5.1.4.1.1.2.1"
    enhanced.SharedFunctionalGroupsSequence = [shared]
    enhanced.PerFrameFunctionalGroupsSequence = frames
    enhanced.NumberOfFrames = len(frames)
    enhanced.PixelData = b"".join(one.PixelData for one in slices)
    reading.look(reading.receive([enhanced]))
    found = notes(reading)
    assert set(found) == {Code.MISSING_SLICES}
    assert found[Code.MISSING_SLICES]["count"] == 1
    with reading.database.transaction() as session:
        assert session.scalars(select(SeriesMontage.tiles)).one() == 23


def test_a_study_is_looked_at_by_one_process_at_a_time(reading: Reading) -> None:
    study_id = reading.receive(slices_of(volume_image(8)))
    done: list[bool] = []
    threads = [
        threading.Thread(target=lambda: done.append(reading.look(study_id))) for _ in range(4)
    ]
    for thread in threads:
        thread.start()
    for thread in threads:
        thread.join()
    assert sorted(done) == [False, False, False, True]


def test_a_process_that_died_leaves_a_lease_that_runs_out(reading: Reading) -> None:
    study_id = reading.receive(slices_of(volume_image(8)))
    with reading.database.transaction() as session:
        assert service.TASKS.take(session, study_id) is not None
    assert not reading.look(study_id)
    with reading.database.transaction() as session:
        assert service.TASKS.due(session) == []
        session.execute(update(StudyAnalysis).values(leased_until=utc_now(), due_at=utc_now()))
    with reading.database.transaction() as session:
        assert service.TASKS.due(session) == [study_id]
    assert reading.look(study_id)


def test_an_outage_of_the_object_store_puts_it_off(reading: Reading) -> None:
    study_id = reading.receive(slices_of(volume_image(8)))

    class Away:
        def __getattr__(self, _name: str) -> object:
            raise ObjectStoreUnavailable("the object store does not answer")

    assert not analyse(study_id, reading.database, Away())  # pyright: ignore[reportArgumentType]
    with reading.database.transaction() as session:
        row = session.get_one(StudyAnalysis, study_id)
        assert row.attempts == 1
        assert row.lease_token is None
        assert row.due_at > utc_now() - timedelta(seconds=1)
        assert row.last_error is not None
    assert reading.look(study_id)


def test_what_fails_each_time_is_parked_until_the_next_completion(reading: Reading) -> None:
    slices = slices_of(volume_image(8))
    study_id = reading.receive(slices[:-1])
    with reading.database.transaction() as session:
        session.execute(update(StudyAnalysis).values(attempts=PARK_AFTER))
    assert not reading.look(study_id)
    with reading.database.transaction() as session:
        assert session.get_one(StudyAnalysis, study_id).parked_at is not None
        assert service.TASKS.due(session) == []
    reading.receive(slices[-1:])
    assert reading.look(study_id)


def test_site_and_centre_see_notes_and_montage_and_no_other_site(
    reading: Reading, tmp_path: Path
) -> None:
    slices = slices_of(volume_image())
    del slices[10]
    study_id = reading.receive(slices)
    item = reading.workitems[study_id]
    app = application(reading.consortium, reading.objects, tmp_path, signers=False)
    writer = Browser(app, "writer")
    pending = writer.get(f"/api/workitems/{item}/quality").json()
    assert pending["state"] == "pending"
    assert pending["series"][0]["montage"] is None
    reading.look(study_id)
    for login in ("writer", "doctor-east"):
        told = Browser(app, login).get(f"/api/workitems/{item}/quality").json()
        assert told["state"] == "checked"
        assert [note["code"] for note in told["notes"]] == ["missing_slices"]
        assert told["notes"][0]["series_number"] == 3
        url = told["series"][0]["montage"]["url"]
        answer = Browser(app, login).get(url)
        assert answer.headers["content-type"] == "image/jpeg"
        image = tmp_path / "montage.jpg"
        image.write_bytes(answer.content)
        size = SimpleITK.ReadImage(image).GetSize()
        assert size == (
            told["series"][0]["montage"]["width"],
            told["series"][0]["montage"]["height"],
        )
    again = writer.client.get(url, headers={"If-None-Match": answer.headers["etag"]})
    assert again.status_code == 304
    stranger = Browser(app, "doctor-west")
    assert stranger.get(f"/api/workitems/{item}/quality").status_code == 404
    assert stranger.get(url).status_code == 404
