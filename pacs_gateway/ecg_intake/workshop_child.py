"""The process in which files of strangers are read: one line in, one line out, bounds around.

It is started by `workshop` with an empty environment and knows nothing but the
paths it is told. It ends with its input.
"""

import json
import resource
import sys
from pathlib import Path
from typing import Final, TextIO

from pacs_gateway.ecg_intake.conversion import Conversion, Request, convert
from storage.ecg.identification import EcgPatient

MEMORY_BYTES: Final = 6 << 30
"""Address space of the process: a long record in double precision, and what is made of it."""
CPU_SECONDS: Final = 20
CPU_SECONDS_PER_MEBIBYTE: Final = 0.5
_MEBIBYTE: Final = 1 << 20


def job(source: Path, target: Path, request: Request) -> str:
    """Return the line that asks for a conversion."""
    return json.dumps(
        {
            "source": str(source),
            "target": str(target),
            "site_id": request.site_id,
            "sha256": request.sha256,
            "received_at": request.received_at,
            "order_number": request.order_number,
            "patient": None if request.patient is None else request.patient.as_words(),
        }
    )


def answer(line: str) -> Conversion:
    """Return what a line of the process says.

    Raises:
        ValueError, KeyError: it says nothing of the kind.
    """
    return Conversion.from_json(json.loads(line))


def serve(lines: TextIO, answers: TextIO) -> None:
    """Say that it is ready, then convert what each line asks for until there are no more."""
    resource.setrlimit(resource.RLIMIT_AS, (MEMORY_BYTES, MEMORY_BYTES))
    resource.setrlimit(resource.RLIMIT_CORE, (0, 0))
    answers.write("ready\n")
    answers.flush()
    for line in lines:
        asked = json.loads(line)
        source = Path(asked["source"])
        _bound_processor_time(source.stat().st_size)
        patient = asked["patient"]
        request = Request(
            site_id=asked["site_id"],
            sha256=asked["sha256"],
            received_at=asked["received_at"],
            order_number=asked["order_number"],
            patient=None if patient is None else EcgPatient.from_words(patient),
        )
        done = convert(source, Path(asked["target"]), request)
        answers.write(json.dumps(done.as_json()) + "\n")
        answers.flush()


def _bound_processor_time(size: int) -> None:
    """Let the kernel end the process when this file takes too long."""
    used = resource.getrusage(resource.RUSAGE_SELF)
    allowed = CPU_SECONDS + CPU_SECONDS_PER_MEBIBYTE * size / _MEBIBYTE
    limit = int(used.ru_utime + used.ru_stime + allowed) + 1
    _, most = resource.getrlimit(resource.RLIMIT_CPU)
    resource.setrlimit(resource.RLIMIT_CPU, (limit, most))


if __name__ == "__main__":
    serve(sys.stdin, sys.stdout)
