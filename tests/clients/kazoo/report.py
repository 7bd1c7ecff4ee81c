"""A plugin of pytest: one line for each test that has ended, in the file that ZABSCOPE_REPORT names."""

import os

_RANK = {"passed": 0, "skipped": 1, "failed": 2}
_worst = {}


def pytest_runtest_logreport(report):
    before = _worst.get(report.nodeid, "passed")
    _worst[report.nodeid] = max(before, report.outcome, key=_RANK.get)
    if report.when == "teardown":
        with open(os.environ["ZABSCOPE_REPORT"], "a", encoding="utf-8") as file:
            file.write("%s %s\n" % (_worst[report.nodeid], report.nodeid))
