"""Every DIMSE service is in the table, and is served behind the wall of its caller's site."""

import importlib
from pathlib import Path
from typing import Any, cast
from uuid import uuid4

import pytest

from pacs_gateway import receiver
from pacs_gateway.associations.commands import Command, CommandField
from pacs_gateway.associations.exchange import Exchange
from pacs_gateway.associations.status import SUCCESS, Answer
from pacs_gateway.config import GatewayConfig
from pacs_gateway.services.dispatch import Dispatch
from pacs_gateway.services.operations import Call, CollectedRequest, Operation
from storage import walls
from storage.database import Database
from storage.objects import open_object_store
from storage.receptions import Origin
from tests.pacs_gateway.dimse_matrix import MATRIX


def services_of_the_gateway(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> set[tuple[CommandField, str]]:
    """What the gateway serves besides verification and storage, put together as it runs."""
    served: set[tuple[CommandField, str]] = set()

    class Noting(Dispatch):
        def __init__(self, spool: Any, operations: Any, greetings: Any = ()) -> None:  # noqa: ANN401 -- as the one it stands for
            served.update(
                (operation.field, syntax)
                for operation in operations
                for syntax in operation.abstract_syntaxes
            )
            super().__init__(spool, operations, greetings)

    monkeypatch.setattr(receiver, "Dispatch", Noting)
    receiver.Receiver(
        GatewayConfig(ae_title="RDC", host="127.0.0.1", port=0, spool_dir=tmp_path / "spool"),
        Database(f"postgresql://rdc@/rdc?host={tmp_path}"),
        open_object_store(f"file://{tmp_path}/objects"),
        cast("Any", None),
        cast("Any", None),
    )
    return served


def test_every_service_has_a_row_and_a_test(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    served = services_of_the_gateway(tmp_path, monkeypatch)
    assert served - MATRIX.keys() == set(), "add these to tests/pacs_gateway/dimse_matrix.py"
    assert MATRIX.keys() - served == set(), "rows that name no service"
    for row in MATRIX.values():
        module, _, function = row.shown.partition(":")
        assert hasattr(importlib.import_module(f"tests.pacs_gateway.{module}"), function), row


def test_a_service_is_behind_the_wall_of_its_caller() -> None:
    """Whatever a service asks, the database tells it of one site; see `test_walls`."""
    seen: list[walls.Reach | None] = []

    def serve(call: Call) -> Answer:
        assert call
        seen.append(walls.reach())
        return SUCCESS

    caller = Origin(uuid4(), uuid4(), "CT1", "RDC", "127.0.0.1")
    operation = Operation(CommandField.C_FIND_RQ, frozenset({"1.2"}), serve)
    request = Command(CommandField.C_FIND_RQ, 1, True, b"", b"")
    asked = CollectedRequest(operation, request, caller)
    assert asked.finish(cast("Exchange", None)) is SUCCESS
    assert seen == [walls.Reach(frozenset({caller.site_id}))]
    assert walls.reach() is None
