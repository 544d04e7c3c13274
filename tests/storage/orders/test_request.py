"""What an order may say of its patient."""

from datetime import UTC, datetime
from uuid import uuid4
from zoneinfo import ZoneInfo

import pytest

from storage.orders import request as orders
from storage.orders.request import OrderRefused, OrderRequest, StepRequest, check
from storage.orders.words import OrderSource

EVENING_BEFORE = datetime(2026, 3, 4, 17, 30, tzinfo=UTC)


def born_on(day: str) -> OrderRequest:
    return OrderRequest(
        site_id=uuid4(),
        source=OrderSource.API,
        patient_local_id="P1",
        patient_name="张某之子",
        steps=[StepRequest("DX")],
        patient_birth_date=datetime.fromisoformat(day).date(),
    )


def test_who_was_born_tonight_has_a_birthday(monkeypatch: pytest.MonkeyPatch) -> None:
    """In China it is half past one of the day that UTC has yet to begin."""
    monkeypatch.setattr(orders, "utc_now", lambda: EVENING_BEFORE)
    here = EVENING_BEFORE.astimezone(ZoneInfo("Asia/Shanghai")).date()
    check(born_on(here.isoformat()))
    with pytest.raises(OrderRefused, match="lies ahead"):
        check(born_on("2026-03-06"))
