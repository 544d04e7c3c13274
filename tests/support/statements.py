"""One memory of compiled statements for all the databases of a test process.

SQLAlchemy writes a statement once for each engine, asks the server about itself with each, and
every test has engines of its own: a tenth of the suite's processor time went into writing the same
statements again. A running process has one database and writes each once, as here.
"""

from collections.abc import Generator
from contextlib import contextmanager
from typing import Any, Final

import pytest
from sqlalchemy import Engine, create_engine, make_url

from storage import pool

# All that the application ever asks.
_STATEMENTS: Final = 8192


@contextmanager
def written_once(url: str) -> Generator[None]:
    """Have every `Database` that is made meanwhile share what is known of the server at `url`."""
    first = create_engine(make_url(pool.psycopg_url(url)), query_cache_size=_STATEMENTS)
    # What SQLAlchemy wants to know of a server it asks at the first connection.
    first.connect().close()
    first.dispose()

    def made(url: str, **arguments: Any) -> Engine:  # noqa: ANN401 -- those of create_engine
        engine = create_engine(url, _initialize=False, **arguments)
        engine.dialect = first.dialect
        engine._compiled_cache = first._compiled_cache
        return engine

    with pytest.MonkeyPatch.context() as patched:
        patched.setattr(pool, "create_engine", made)
        yield
