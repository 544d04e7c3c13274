"""The table of refusals in the conformance statement: all of them, and what the log really says."""

import logging
import re
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest
from pydicom.dataset import Dataset
from pydicom.uid import UID
from pynetdicom import AE

from pacs_gateway.associations.admission import Rejection
from pacs_gateway.associations.status import NOT_REFUSALS, Status
from pacs_gateway.gateway import Gateway
from storage.index.tables import QuarantineReason
from tests.pacs_gateway.conftest import Site
from tests.pacs_gateway.peers import associated

GATEWAY = Path(__file__).resolve().parents[2] / "pacs_gateway"
PAGE = (GATEWAY / "CONFORMANCE.md").read_text(encoding="utf-8")
REFUSALS = PAGE.partition("\n## Refusals\n")[2].partition("\n## ")[0]
FIND = "1.2.840.10008.5.1.4.1.2.2.1"
COMMITMENT = "1.2.840.10008.1.20.1"


def rows() -> set[tuple[str, str]]:
    return set(re.findall(r"^\| `([0-9A-F]{4})` \| (\w+) \|", REFUSALS, re.MULTILINE))


def test_every_status_that_refuses_is_in_the_table_and_no_other() -> None:
    assert rows() == {
        (f"{status.value:04X}", status.name) for status in Status if status not in NOT_REFUSALS
    }


@dataclass(frozen=True)
class Service:
    """A service as the page and the code know it.

    section: of the page, where its statuses are told; table: by what the heading of that table
        begins. modules: where they are answered, below the gateway's folder.
    """

    section: str
    table: str
    modules: tuple[str, ...]


SERVICES = {
    "C-STORE": Service("C-STORE", "Status", ("services/store.py", "examination.py")),
    "C-FIND": Service("C-FIND", "Status", ("services/query.py",)),
    # "Statuses are those of C-FIND", says its section.
    "Modality Worklist": Service("C-FIND", "Status", ("services/modality_worklist.py",)),
    "C-MOVE": Service("C-MOVE and C-GET", "Status", ("services/retrieve.py",)),
    "C-GET": Service("C-MOVE and C-GET", "Status", ("services/retrieve.py",)),
    "MPPS": Service("Modality Performed Procedure Step", "Status", ("services/mpps.py",)),
    "storage commitment": Service(
        "Storage Commitment", "Status of N-ACTION", ("services/commitment.py",)
    ),
}
# A destination is C-MOVE's alone.
NOT_OF_GET = {"MOVE_DESTINATION_UNKNOWN"}


def told(service: str) -> set[str]:
    """The statuses that the table of refusals has for a service, by name."""
    found = re.findall(r"^\| `[0-9A-F]{4}` \| (\w+) \| ([^|]+) \|", REFUSALS, re.MULTILINE)
    return {name for name, whose in found if {service, "all"} & set(whose.strip().split(", "))}


@pytest.mark.parametrize("name", SERVICES)
def test_every_service_has_its_refusals_in_its_section_and_in_the_table(name: str) -> None:
    service = SERVICES[name]
    section = PAGE.partition(f"\n### {service.section}\n")[2].partition("\n### ")[0]
    table = section.partition(f"| {service.table} |")[2].partition("\n\n")[0]
    codes = {int(code, 16) for code in re.findall(r"^\| `([0-9A-F]{4})`", table, re.MULTILINE)}
    code = "".join((GATEWAY / module).read_text(encoding="utf-8") for module in service.modules)
    known = {status.name for status in Status if status not in NOT_REFUSALS}
    answered = set(re.findall(r"\bStatus\.([A-Z_]+)\b", code)) & known
    answered -= NOT_OF_GET if name == "C-GET" else set[str]()
    assert codes, "the section has a table"
    assert answered
    # Whatever the code answers is told, and what is told of this service alone is answered.
    assert answered <= told(name)
    assert {Status[one] for one in answered} <= codes
    common = {"PROCESSING_FAILURE", "UNRECOGNIZED_OPERATION", "OUT_OF_RESOURCES"}
    assert told(name) - common <= answered
    section_only = {Status(one).name for one in codes if Status(one) not in NOT_REFUSALS}
    assert section_only - NOT_OF_GET <= told(name)


def test_every_code_of_a_refused_order_is_in_its_section_and_in_the_table() -> None:
    code = "".join(path.read_text(encoding="utf-8") for path in (GATEWAY / "hl7").glob("*.py"))
    answered = set(re.findall(r"Final = (10\d|20\d)$", code, re.MULTILINE))
    section = PAGE.partition("\n### HL7 v2 orders\n")[2].partition("\n### ")[0]
    for text in (section.partition("| MSA-1 |")[2], REFUSALS.partition("| HL7 answer")[2]):
        assert set(re.findall(r"\b(10\d|20\d)\b", text.partition("\n\n")[0])) == answered


def test_every_rejection_of_an_association_is_in_the_table() -> None:
    for rejection in Rejection:
        assert f"| {rejection.name} {rejection.value} |" in REFUSALS


def test_every_reason_for_quarantine_is_told() -> None:
    for reason in QuarantineReason:
        assert f"*{reason.value}*" in REFUSALS


def test_the_lines_of_the_log_are_those_that_the_code_writes() -> None:
    quoted = set(re.findall(r"`([A-Za-z][A-Za-z0-9,: ]+ [a-z ]+)`", REFUSALS)) - {"rdc status"}
    code = "\n".join(path.read_text(encoding="utf-8") for path in GATEWAY.rglob("*.py"))
    assert quoted
    assert {line for line in quoted if f'"{line}"' not in code} == set()


def test_a_refused_request_is_in_the_log_with_its_reason_and_nothing_of_the_patient(
    start_gateway: Callable[..., Gateway], site: Site, caplog: pytest.LogCaptureFixture
) -> None:
    gateway = start_gateway()
    entity: Any = AE(site.ae_title)
    entity.add_requested_context(FIND)
    entity.add_requested_context(COMMITMENT)
    association: Any = associated(entity, gateway.bound_port)
    assert association.is_established
    query = Dataset()
    query.PatientName = "Zhang^San"
    query.QueryRetrieveLevel = "PLANET"
    with caplog.at_level(logging.WARNING):
        (found, _), *_ = list(association.send_c_find(query, FIND))
        refused, _ = association.send_n_action(query, 7, UID(COMMITMENT), UID("1.2.3"))
        unknown, _ = association.send_n_get([0x00100010], UID(COMMITMENT), UID("1.2.3"))
    association.release()
    assert (found.Status, refused.Status, unknown.Status) == (0xA900, 0x0112, 0x0211)
    said = [record for record in caplog.records if record.message == "request refused"]
    assert [vars(record)["status"] for record in said] == ["A900H", "0112H", "0211H"]
    assert all(vars(record)["calling_ae_title"] == site.ae_title for record in said)
    assert all(vars(record)["reason"] for record in said)
    assert "Zhang" not in str([vars(record) for record in said])
