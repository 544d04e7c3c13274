"""A failed test shows what the systems it ran have said."""

from collections.abc import Generator

import pytest

from tests.e2e.system import RunningSystem


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    report = yield
    if report.failed:
        for system in RunningSystem.running:
            report.sections.append((f"end of {system.log}", system.last_words()))
    return report
