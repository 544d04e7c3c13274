"""What is looked at before a release: licences and known vulnerabilities of dependencies."""

import json

import pytest

from deploy.release import licences, vulnerabilities
from deploy.release.licences import Judgements, Package
from deploy.release.vulnerabilities import Answer

KNOWN = Judgements(frozenset({"MIT", "BSD-3-Clause"}), {"odd": {"licence": "GPL-3.0-only"}})


@pytest.mark.parametrize(
    ("name", "licence", "why"),
    [
        ("a", "MIT", None),
        ("a", "MIT AND BSD-3-Clause", None),
        ("a", "MIT OR GPL-3.0-only", "GPL-3.0-only was not judged"),
        ("a", "", "states no licence"),
        ("odd", "GPL-3.0-only", None),
        ("odd", "AGPL-3.0-only", "judged as 'GPL-3.0-only', now states 'AGPL-3.0-only'"),
    ],
)
def test_a_licence_passes_when_it_is_permissive_or_was_judged(
    name: str, licence: str, why: str | None
) -> None:
    assert licences.refused(Package("PyPI", name, "1", licence), KNOWN) == why


def test_every_package_of_a_release_has_a_judged_licence() -> None:
    known = licences.judgements()
    packages = [*licences.python_packages(), *licences.npm_packages()]
    assert [one for one in packages if licences.refused(one, known)] == []
    # That much is certain to be there: an empty list would pass for the wrong reason.
    assert {"pydicom", "fastapi", "@ohif/app", "react"} <= {one.name for one in packages}
    assert known.judged.keys() <= {one.name for one in packages}


def test_a_known_vulnerability_counts_until_it_is_argued() -> None:
    read = vulnerabilities.read_pip_audit(
        "PyPI",
        json.dumps(
            {
                "dependencies": [
                    {
                        "name": "a",
                        "version": "1.0",
                        "vulns": [{"id": "GHSA-1", "aliases": ["CVE-1"], "fix_versions": ["2"]}],
                    },
                    {"name": "b", "version": "1.0", "vulns": []},
                ]
            }
        ),
    )
    assert (read.asked, read.reached) == (2, True)
    assert vulnerabilities.judge([read], {}) == (["PyPI: GHSA-1 a 1.0: CVE-1"], [])
    assert vulnerabilities.judge([read], {"GHSA-1": {"reason": "never called"}}) == ([], [])


def test_what_npm_knows_is_told_once_for_each_cause() -> None:
    cause = {
        "url": "https://github.com/advisories/GHSA-2",
        "name": "c",
        "range": "<2",
        "title": "Slow pattern",
    }
    read = vulnerabilities.read_npm_audit(
        json.dumps(
            {
                "vulnerabilities": {"c": {"via": [cause]}, "d": {"via": ["c", cause]}},
                "metadata": {"dependencies": {"total": 2}},
            }
        )
    )
    assert read.found == [("GHSA-2", "c <2: Slow pattern")]


@pytest.mark.parametrize(
    "answer",
    [
        vulnerabilities.read_pip_audit("PyPI", ""),
        vulnerabilities.read_pip_audit(
            "PyPI", '{"dependencies": [{"name": "a", "skip_reason": "not found"}]}'
        ),
        vulnerabilities.read_npm_audit('npm error\n{"statusCode": 405}'),
    ],
)
def test_a_service_that_was_not_reached_is_never_taken_for_a_clean_answer(answer: Answer) -> None:
    open_ones, unreached = vulnerabilities.judge([answer], {})
    assert (open_ones, len(unreached)) == ([], 1)
