"""What one web process looks up once for all who ask at the same time."""

from collections.abc import Hashable, Mapping
from dataclasses import dataclass, field
from typing import Annotated, Final, cast

from fastapi import Depends, FastAPI, Request

from reading_worklist.coalescing import Coalesced
from reading_worklist.worklist.shared_lines import SharedLine, SharedPage


@dataclass(frozen=True, slots=True)
class SharedWorklist:
    """Pages of the worklist that are asked for, and lines (by workitem) that changed."""

    pages: Coalesced[Hashable, SharedPage] = field(default_factory=Coalesced[Hashable, SharedPage])
    lines: Coalesced[Hashable, Mapping[str, SharedLine]] = field(
        default_factory=Coalesced[Hashable, Mapping[str, SharedLine]]
    )


def install(app: FastAPI) -> None:
    """Give an application its own."""
    app.state.shared_worklist = SharedWorklist()


async def _of(request: Request) -> SharedWorklist:
    return cast("SharedWorklist", request.app.state.shared_worklist)


Shared = Annotated[SharedWorklist, Depends(_of)]

__all__: Final = ("Shared", "SharedWorklist", "install")
