import json
import logging

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from deploy.logs import JsonFormatter, without_values
from storage.database import Database, as_owner


def formatted(error: Exception) -> str:
    record = logging.LogRecord(
        "room", logging.ERROR, __file__, 1, "it failed", None, (type(error), error, None)
    )
    return JsonFormatter("web").format(record)


def test_one_line_of_json_with_extras() -> None:
    record = logging.makeLogRecord({"msg": "kept %s", "args": ("it",), "study": 7})
    line = JsonFormatter("gateway").format(record)
    found = json.loads(line)
    assert "\n" not in line
    assert (found["text"], found["study"], found["process"]) == ("kept it", 7, "gateway")
    assert found["at"].endswith("+00:00")


def test_a_database_error_tells_no_values(database: Database) -> None:
    with database.transaction() as session:
        as_owner(session)
        session.execute(text("CREATE TABLE seen (name text PRIMARY KEY)"))
        session.execute(text("INSERT INTO seen VALUES ('WANG^XIAO')"))
        session.execute(text("GRANT INSERT ON seen TO PUBLIC"))
    with pytest.raises(IntegrityError) as caught, database.transaction() as session:
        session.execute(text("INSERT INTO seen VALUES (:name)"), {"name": "WANG^XIAO"})
    line = formatted(caught.value)
    assert "duplicate key" in line
    assert "WANG" not in line
    assert "INSERT" not in line


def test_what_is_cut_and_what_is_kept() -> None:
    told = without_values(
        "ERROR: duplicate key\nDETAIL:  Key (id)=(P1) already exists.\n"
        "[SQL: INSERT INTO t\nVALUES (%s)]\n[parameters: ('P1', 2)]\nnext line"
    )
    assert "P1" not in told
    assert "INSERT" not in told
    assert told.startswith("ERROR: duplicate key\n")
    assert told.endswith("\nnext line")
