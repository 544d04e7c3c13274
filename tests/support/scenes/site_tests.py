"""A site that was tested: most is well, a clock is ahead and its PACS does not answer."""

from collections.abc import Mapping
from typing import TYPE_CHECKING, Final

from storage import audit, registry
from storage.site_tests import service
from storage.site_tests.findings import Check, Finding, Outcome

if TYPE_CHECKING:
    from tests.support.scene import Scene

_PACS: Final = "EAST_PACS (10.1.2.3:104)"
_HIS: Final = "http://his.east.example/fhir"
_FOUND: Final = (
    Finding(Check.DEVICES, Outcome.PASSED, "devices", facts={"number": "2"}),
    Finding(Check.HEARD, Outcome.PASSED, "heard", "EAST_CT", {"at": "2026-11-22 09:14"}),
    Finding(
        Check.HEARD,
        Outcome.FAILED,
        "heard_never",
        "EAST_DR",
        {"called": "RDC", "ae_title": "EAST_DR"},
    ),
    Finding(
        Check.RECEIVED,
        Outcome.PASSED,
        "received",
        "EAST_CT",
        {"at": "2026-11-22 09:12", "studies": "30"},
    ),
    Finding(Check.CLOCK, Outcome.WARNING, "clock_ahead", "EAST_CT", {"minutes": "7"}),
    Finding(Check.ECHO, Outcome.SKIPPED, "echo_nowhere", "EAST_CT"),
    Finding(Check.FILING, Outcome.PASSED, "filing"),
    Finding(Check.CHINESE, Outcome.PASSED, "chinese", facts={"character_set": "GB18030, UTF-8"}),
    Finding(
        Check.WORKLIST,
        Outcome.WARNING,
        "worklist_pinyin",
        "EAST_CT",
        {"ae_title": "EAST_CT", "character_set": "ISO_IR 6"},
    ),
    Finding(
        Check.DESTINATION,
        Outcome.FAILED,
        "destination_unreachable",
        _PACS,
        {"said": "no connection to EAST_PACS at 10.1.2.3:104"},
    ),
    Finding(
        Check.RECEIVER_CLOCK,
        Outcome.WARNING,
        "receiver_clock_behind",
        _HIS,
        {"apart": "0:06:12"},
    ),
    Finding(
        Check.DELIVERED,
        Outcome.FAILED,
        "delivered_late",
        _PACS,
        {"number": "12", "since": "2026-11-22 06:40"},
    ),
    Finding(Check.TOKEN, Outcome.SKIPPED, "token_none"),
    Finding(Check.PEOPLE, Outcome.PASSED, "people", facts={"doctors": "2", "technicians": "1"}),
)


def fill(scene: "Scene") -> Mapping[str, str]:
    """One test that has ended."""
    with scene.database.transaction() as session:
        site = registry.organisation_by_code(session, "EAST")
        test = service.ask(session, audit.system_actor("scene"), site.id)
        service.note(session, test.id, _FOUND, ended=True)
    return {}
