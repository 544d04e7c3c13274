import ast
import json
import logging
import re
from pathlib import Path

import pytest
from sqlalchemy import text
from sqlalchemy.exc import IntegrityError

from deploy.logs import JsonFormatter, without_values
from storage.correlation import correlated
from storage.database import Database, as_owner

ROOT = Path(__file__).resolve().parents[2]


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


def test_lines_of_one_piece_of_work_carry_its_number() -> None:
    record = logging.makeLogRecord({"msg": "it happened"})
    with correlated(association="a1"), correlated(study_id=7):
        found = json.loads(JsonFormatter("gateway").format(record))
    assert (found["association"], found["study_id"]) == ("a1", "7")
    assert "association" not in json.loads(JsonFormatter("gateway").format(record))


def _logged_keys() -> set[str]:
    """Every key that is written down in a call of ours: `extra={…}` and `correlated(…)`."""
    keys: set[str] = set()
    for room in ("storage", "pacs_gateway", "reading_worklist", "deploy"):
        for path in (ROOT / room).rglob("*.py"):
            if "node_modules" in path.parts:
                continue
            source = path.read_text(encoding="utf-8")
            if "extra=" in source or "correlated(" in source:
                keys |= _keys_of(ast.parse(source))
    return keys


def _keys_of(module: ast.Module) -> set[str]:
    keys: set[str] = set()
    for call in ast.walk(module):
        if not isinstance(call, ast.Call):
            continue
        if isinstance(call.func, ast.Name) and call.func.id == "correlated":
            keys |= {word.arg for word in call.keywords if word.arg}
        for word in call.keywords:
            if word.arg == "extra" and isinstance(word.value, ast.Dict):
                constants = [one for one in word.value.keys if isinstance(one, ast.Constant)]
                keys |= {str(one.value) for one in constants}
    return keys


def test_every_key_that_is_logged_is_explained() -> None:
    page = (ROOT / "deploy" / "docs" / "logs.md").read_text(encoding="utf-8")
    explained = set(re.findall(r"^\| `([a-z_]+)` \|", page, re.MULTILINE))
    assert _logged_keys() - explained == set()
