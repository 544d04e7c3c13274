"""The devices of a site: are there any, when did they call, do they answer."""

import time
from collections.abc import Iterator, Sequence
from datetime import datetime, timedelta, tzinfo
from typing import Final

from pacs_gateway.config import ReturnsConfig
from pacs_gateway.requesting import NoAssociation, open_association
from storage.registry import Device, Listener
from storage.site_tests.findings import Check, Finding, Outcome

_VERIFICATION: Final = "1.2.840.10008.1.1"
_SUCCESS: Final = 0x0000
_LONG: Final = timedelta(days=7)


def shown(at: datetime, zone: tzinfo) -> str:
    """Return a time as a person at the site reads it."""
    return f"{at.astimezone(zone):%Y-%m-%d %H:%M}"


def registered(devices: Sequence[Device]) -> Iterator[Finding]:
    """Tell how many may call."""
    if devices:
        yield Finding(Check.DEVICES, Outcome.PASSED, "devices", facts={"number": str(len(devices))})
    else:
        yield Finding(Check.DEVICES, Outcome.FAILED, "devices_none")


def heard(devices: Sequence[Device], called: str, now: datetime, zone: tzinfo) -> Iterator[Finding]:
    """Tell when each device last associated with us."""
    for one in devices:
        if one.heard_at is None:
            facts = {"called": called, "ae_title": one.ae_title}
            yield Finding(Check.HEARD, Outcome.FAILED, "heard_never", one.ae_title, facts)
            continue
        late = now - one.heard_at > _LONG
        yield Finding(
            Check.HEARD,
            Outcome.WARNING if late else Outcome.PASSED,
            "heard_long_ago" if late else "heard",
            one.ae_title,
            {"at": shown(one.heard_at, zone)},
        )


def echo(device: Device, config: ReturnsConfig) -> Iterator[Finding]:
    """Send a C-ECHO (PS3.7 §9.1.5) to a device that accepts associations."""
    if not device.listen_host or not device.listen_port:
        yield Finding(Check.ECHO, Outcome.SKIPPED, "echo_nowhere", device.ae_title)
        return
    listener = Listener(device.ae_title, device.listen_host, device.listen_port)
    began = time.monotonic()
    said = _echo_refusal(listener, config)
    if said:
        yield Finding(Check.ECHO, Outcome.WARNING, "echo_failed", device.ae_title, {"said": said})
        return
    took = {"milliseconds": str(round((time.monotonic() - began) * 1000))}
    yield Finding(Check.ECHO, Outcome.PASSED, "echo", device.ae_title, took)


def _echo_refusal(listener: Listener, config: ReturnsConfig) -> str:
    """Return why there was no success, for a person; "" when there was."""
    try:
        association = open_association(
            listener, _VERIFICATION, config, what="verification (C-ECHO)"
        )
    except NoAssociation as error:
        return str(error)
    try:
        status = association.send_c_echo()
    except (ValueError, RuntimeError) as error:
        association.abort()
        return f"not sent: {error}"
    association.release()
    if "Status" not in status:
        return "no answer to C-ECHO before the association ended"
    code = int(status.Status)
    return "" if code == _SUCCESS else f"C-ECHO status {code:04X}H"
