"""What all tests share: seeds that can be repeated, addresses of their own, real programs."""

from __future__ import annotations

import gc
import itertools
import os
import shutil
from typing import TYPE_CHECKING, NoReturn

import pytest
from hypothesis import HealthCheck, settings

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

# A failure prints the line that repeats it. Deadlines are off: two cores run several processes, so time proves nothing.
settings.register_profile("fwsm", deadline=None, print_blob=True, suppress_health_check=[HealthCheck.too_slow])
# More examples, for a run by hand: HYPOTHESIS_PROFILE=long
settings.register_profile("long", settings.get_profile("fwsm"), max_examples=2000)
# Fewer, and the same every time: each of some thousand mutants of the core meets all of them.
settings.register_profile("mutants", settings.get_profile("fwsm"), max_examples=25, derandomize=True, database=None)
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "fwsm"))

_addresses = itertools.count(os.getpid() % 200 * 250)


@pytest.fixture(scope="session")
def loopback() -> Callable[[], str]:
    """Return a function that hands out a loopback address which no other test and no other worker uses."""
    worker = int(os.environ.get("PYTEST_XDIST_WORKER", "gw0").removeprefix("gw"))

    def fresh() -> str:
        high, low = divmod(next(_addresses), 250)
        return f"127.{150 + worker}.{high % 250}.{low + 1}"

    return fresh


@pytest.fixture(autouse=True)
def _litter(request: pytest.FixtureRequest) -> Iterator[None]:
    """Collect what the SDK has left while it is forgiven, or a later test is blamed for it."""
    yield
    if request.node.get_closest_marker("sdk"):
        gc.collect()


@pytest.fixture(scope="session")
def missing() -> Callable[[str], NoReturn]:
    """Return a function for what a test needs and this machine lacks: it skips the test, or fails it when CI is set."""

    def give_up(what: str) -> NoReturn:
        text = f"this machine has no {what}: run .ci/install-tools"
        if os.environ.get("CI"):
            pytest.fail(text)
        pytest.skip(text)

    return give_up


@pytest.fixture(scope="session")
def tool(missing: Callable[[str], NoReturn]) -> Callable[[str], str]:
    """Return a function that finds the path of a program by its name."""

    def find(name: str) -> str:
        return shutil.which(name, path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin:/sbin") or missing(name)

    return find


def pytest_collection_modifyitems(items: list[pytest.Item]) -> None:
    """Forgive the SDK its unclosed sockets, and nothing else any."""
    for item in items:
        if item.get_closest_marker("sdk"):
            item.add_marker(pytest.mark.filterwarnings("ignore:unclosed <s:ResourceWarning"))


def pytest_collection_finish() -> None:
    """Leave modules and collected tests out of every later collection of garbage."""
    gc.collect()
    gc.freeze()


def pytest_terminal_summary(terminalreporter: pytest.TerminalReporter, exitstatus: int, config: pytest.Config) -> None:
    """After a failure, say which seed repeats the order of the tests and their random values."""
    if exitstatus == pytest.ExitCode.TESTS_FAILED and config.pluginmanager.hasplugin("randomly"):
        terminalreporter.write_line(f"repeat with: pytest --randomly-seed={config.option.randomly_seed}")
