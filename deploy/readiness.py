"""How a child tells its supervisor that it is ready for work.

The supervisor passes a pipe whose number stands in RDC_READY_FD; the child
writes one byte when it is ready. Started by hand, without that variable, a
process has nobody to tell.
"""

import os
from typing import Final

VARIABLE: Final = "RDC_READY_FD"


def announce() -> None:
    """Say that this process is ready; the second time it says nothing."""
    number = os.environ.pop(VARIABLE, None)
    if number is None or not number.isdigit():
        return
    descriptor = int(number)
    try:
        os.write(descriptor, b"1")
    except OSError:
        # The supervisor is gone, and the parent-death signal is on its way.
        return
    os.close(descriptor)
