"""`rdc site test`: is a site connected, in both directions."""

from __future__ import annotations

import json
from typing import TYPE_CHECKING, Annotated, Final

import typer

from deploy.cli_session import AsJson, Code, DataDir

if TYPE_CHECKING:
    from collections.abc import Sequence

    from storage.site_tests.findings import Finding
    from storage.site_tests.words import Language

EXIT_FAILED: Final = 1

Zh = Annotated[bool, typer.Option("--chinese", help="Say it in Chinese")]


def try_site(
    site: Code, *, chinese: Zh = False, as_json: AsJson = False, data_dir: DataDir = None
) -> None:
    """Try a site's connection: its devices, a test image, Chinese names, clocks, the way back.

    It leaves nothing behind and delivers nothing. Exit code 1 when something failed.
    """
    from deploy import bootstrap  # noqa: PLC0415 - `--help` stays quick
    from deploy.database_access import open_database  # noqa: PLC0415
    from deploy.settings import load  # noqa: PLC0415
    from pacs_gateway.site_test.run import run  # noqa: PLC0415
    from storage.objects import open_object_store  # noqa: PLC0415
    from storage.registry import organisation_by_code  # noqa: PLC0415
    from storage.site_tests.findings import Outcome  # noqa: PLC0415
    from storage.site_tests.words import Language  # noqa: PLC0415

    settings = load(data_dir=data_dir)
    language = Language.CHINESE if chinese else Language.ENGLISH
    with open_database(settings) as database:
        with database.transaction() as session:
            site_id = organisation_by_code(session, site).id
        objects = open_object_store(settings.object_store)
        config = bootstrap.site_test_config(settings)
        found = list(run(site_id, database, objects, config))
    typer.echo(_to_json(found, language) if as_json else _to_text(found, language))
    failed = any(one.outcome is Outcome.FAILED for one in found)
    raise typer.Exit(EXIT_FAILED if failed else 0)


def _to_json(found: Sequence[Finding], language: Language) -> str:
    from dataclasses import asdict  # noqa: PLC0415

    from storage.site_tests.findings import Outcome  # noqa: PLC0415
    from storage.site_tests.words import told  # noqa: PLC0415

    return json.dumps(
        {
            "connected": all(one.outcome is not Outcome.FAILED for one in found),
            "findings": [{**one.to_json(), **asdict(told(one, language))} for one in found],
        },
        ensure_ascii=False,
        indent=2,
    )


def _to_text(found: Sequence[Finding], language: Language) -> str:
    from storage.site_tests.findings import Outcome  # noqa: PLC0415
    from storage.site_tests.words import told  # noqa: PLC0415

    marks = {
        Outcome.FAILED: "FAILED ",
        Outcome.WARNING: "warning",
        Outcome.PASSED: "ok     ",
        Outcome.SKIPPED: "-      ",
    }
    lines: list[str] = []
    for one in found:
        words = told(one, language)
        about = f" [{one.subject}]" if one.subject else ""
        lines.append(f"{marks[one.outcome]}  {words.what}{about}: {words.found}")
        if one.outcome in {Outcome.FAILED, Outcome.WARNING}:
            lines.append(f"           expected: {words.expected}")
            lines.append(f"           → {words.remedy}")
    counts = [
        f"{sum(one.outcome is outcome for one in found)} {outcome.value}" for outcome in Outcome
    ]
    return "\n".join([*lines, "", ", ".join(counts)])
