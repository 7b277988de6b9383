"""Under CI=true a test that is skipped, or expected to fail, has failed: it shows nothing."""

from __future__ import annotations

import os
from collections.abc import Generator

import pytest


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_runtest_makereport() -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Of a test."""
    report = yield
    fail_if_skipped(report)
    return report


@pytest.hookimpl(wrapper=True, tryfirst=True)
def pytest_make_collect_report() -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Of a file, which may skip itself where a package is missing."""
    report = yield
    fail_if_skipped(report)
    return report


def fail_if_skipped(report: pytest.TestReport | pytest.CollectReport) -> None:
    """Make a failure of a report that says that nothing was tested."""
    expected = getattr(report, "wasxfail", None)
    if os.environ.get("CI") != "true" or (report.outcome != "skipped" and expected is None):
        return
    reason = report.longrepr[2] if isinstance(report.longrepr, tuple) else f"xfail: {expected}"
    report.outcome = "failed"
    report.longrepr = f"nothing may be skipped under CI=true: {reason}"
    if isinstance(report, pytest.TestReport) and expected is not None:
        del report.wasxfail
