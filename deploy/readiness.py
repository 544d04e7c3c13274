"""How a child tells its supervisor that it is ready for work.

The supervisor passes a pipe whose number stands in RDC_READY_FD; the child
writes one byte when it is ready. Started by hand, without that variable, a
process has nobody to tell.
"""

import gc
import os
from typing import Final

VARIABLE: Final = "RDC_READY_FD"


def begin() -> None:
    """Begin a process that goes on until it is stopped; `settle` or `announce` ends its beginning.

    Nothing is collected meanwhile: what a beginning makes, above all modules and routes, stays, and
    looking through it was a fifth of the processor time of starting (3.8 s became 3.0 for the web).
    """
    gc.disable()


def settle() -> None:
    """Collect from here on, but never again look at what is there now. Before a fork, too."""
    gc.collect()
    gc.freeze()
    gc.enable()


def announce() -> None:
    """Say that this process is ready; the second time it says nothing."""
    settle()
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
