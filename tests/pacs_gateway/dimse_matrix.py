"""What a device may ask over DIMSE, and what a stranger is told; one row for each service.

`test_access` holds it against the services of the gateway itself: a new one without a row fails.
"""

from collections.abc import Mapping
from dataclasses import dataclass
from typing import Final

from pacs_gateway.associations.commands import CommandField
from pacs_gateway.commitments.results import SOP_CLASS_UID as COMMITMENT
from pacs_gateway.services.modality_worklist import MODALITY_WORKLIST
from pacs_gateway.services.mpps import MODALITY_PERFORMED_PROCEDURE_STEP as MPPS
from pacs_gateway.services.query import LEVELS


@dataclass(frozen=True, slots=True)
class Row:
    """What a device of another site is told of what is not its own.

    shown: by which test, as ``module:function`` below this folder.
    """

    told: str
    shown: str


_FIND: Final = Row("no match", "test_query:test_a_device_of_another_site_sees_its_own")
_RETRIEVE: Final = Row("no sub-operation", "test_retrieve:test_nothing_of_another_site")

MATRIX: Final[Mapping[tuple[CommandField, str], Row]] = {
    **{(CommandField.C_FIND_RQ, root): _FIND for root in LEVELS},
    **{
        (field, f"1.2.840.10008.5.1.4.1.2.{root}.{service}"): _RETRIEVE
        for field, service in ((CommandField.C_MOVE_RQ, 2), (CommandField.C_GET_RQ, 3))
        # Patient root, study root, and patient/study only.
        for root in (1, 2, 3)
    },
    (CommandField.C_FIND_RQ, MODALITY_WORKLIST): Row(
        "no match", "test_modality_worklist:test_another_sites_steps_are_not_told"
    ),
    (CommandField.N_CREATE_RQ, MPPS): Row(
        "its own step, whatever the UID",
        "test_mpps:test_a_step_that_was_not_created_is_unknown_and_so_is_another_sites",
    ),
    (CommandField.N_SET_RQ, MPPS): Row(
        "0112H, no such object",
        "test_mpps:test_a_step_that_was_not_created_is_unknown_and_so_is_another_sites",
    ),
    (CommandField.N_ACTION_RQ, COMMITMENT): Row(
        "0112H, as for what was never sent",
        "test_commitment:test_only_what_is_there_is_vouched_for",
    ),
    (CommandField.N_EVENT_REPORT_RQ, COMMITMENT): Row(
        "nothing was asked under this UID",
        "test_asked_commitment:test_what_nobody_asked_for_is_refused",
    ),
}
