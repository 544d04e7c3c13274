"""SimpleITK as the rest of this folder uses it: without types of its own, quiet, on one thread."""

from typing import Any, Final, TypeAlias

import SimpleITK

Image: TypeAlias = Any
"""An image of SimpleITK."""

sitk: Final[Any] = SimpleITK


def quiet_toolkit() -> None:
    """Let SimpleITK use one thread and write nothing to the console, in this process."""
    sitk.ProcessObject.SetGlobalWarningDisplay(False)
    sitk.ProcessObject.SetGlobalDefaultNumberOfThreads(1)
