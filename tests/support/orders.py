"""Orders for tests."""

from datetime import date
from typing import Any

from storage import audit
from storage.database import Database
from storage.orders import service
from storage.orders.request import OrderRequest, StepRequest
from storage.orders.tables import Order
from storage.orders.words import OrderSource
from storage.registry import Organisation

ACTOR = audit.system_actor("test")


def order_request(site: Organisation, *, modality: str = "CT", **values: Any) -> OrderRequest:  # noqa: ANN401 -- any field
    """An order for the patient of `Consortium.complete_study`."""
    return OrderRequest(
        **{  # pyright: ignore[reportArgumentType] -- any field
            "site_id": site.id,
            "source": OrderSource.API,
            "patient_local_id": "P001",
            "patient_name": "张伟",
            "patient_sex": "M",
            "patient_birth_date": date(1960, 5, 17),
            "procedure_description": "胸部CT平扫",
            "steps": [StepRequest(modality)],
            **values,
        }
    )


def placed(database: Database, request: OrderRequest) -> Order:
    """Place an order."""
    with database.transaction() as session:
        order = service.place(session, ACTOR, request)
        session.flush()
        session.refresh(order, ["steps"])
    return order
