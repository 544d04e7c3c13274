"""`rdc import`: an importer beside the system, with a record of what it did."""

from collections import Counter
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Final
from uuid import UUID

from deploy.bootstrap import gateway_config
from deploy.settings import Settings
from pacs_gateway.importing import FileResult, Importer, Outcome, files_below
from storage import audit
from storage.database import Database
from storage.objects import ObjectStore

_FOLDER: Final = "import"
_FAILED: Final = (Outcome.REFUSED, Outcome.QUARANTINED)


def import_for(  # noqa: PLR0917 -- the parts of a system, then what is asked of it
    settings: Settings,
    database: Database,
    objects: ObjectStore,
    site_id: UUID,
    path: Path,
    progress: Callable[[FileResult], None],
) -> tuple[dict[str, int], int]:
    """Import the files at or below `path`; return their number by outcome, and how many failed.

    Raises:
        SpoolBusy: another import runs on this data directory.
        SpoolFull: the disk is short of space.
    """
    counts: Counter[Outcome] = Counter()
    # A spool of its own: the common one is filed by the running gateway alone.
    config = replace(gateway_config(settings), spool_dir=settings.data_dir / _FOLDER)
    with Importer(config, database, objects, site_id) as importer:
        for result in importer.run(files_below(path)):
            counts[result.outcome] += 1
            progress(result)
    numbers = {outcome.value: counts[outcome] for outcome in Outcome}
    with database.transaction() as session:
        audit.record(
            session,
            audit.system_actor("rdc import"),
            "archive:import",
            subject_kind="organisation",
            subject_id=site_id,
            detail=numbers,
        )
    return numbers, sum(counts[outcome] for outcome in _FAILED)
