"""The link's tests once more, on the release candidate of the SDK instead of the version that is installed."""

from __future__ import annotations

import os
import subprocess
import sys
import sysconfig
from pathlib import Path
from typing import TYPE_CHECKING, NoReturn

import pytest

from tests.e2e.programs import PYTHON_2_15

if TYPE_CHECKING:
    from collections.abc import Callable

pytestmark = [pytest.mark.e2e, pytest.mark.timeout(900)]

ROOT = Path(__file__).parents[2]
# Where .ci/install-tools puts it, for the clients of the hub as well.
NEXT_SDK = ROOT / ".venv" / "clients" / PYTHON_2_15
TESTS = [f"tests/device/iothub/test_{name}.py" for name in ("link", "bad_days", "session", "identity", "provisioning")]


def test_the_link_works_on_the_next_sdk(missing: Callable[[str], NoReturn]) -> None:
    """It stands before the installed one on the path; that it is used is asked first."""
    if not (NEXT_SDK / ".stamp").exists():
        missing("release candidate of azure-iot-device")
    packages = sysconfig.get_path("purelib", vars={"base": str(NEXT_SDK)})
    environ = os.environ | {"PYTHONPATH": packages}
    for name in ("PYTEST_XDIST_WORKER", "PYTEST_ADDOPTS"):
        environ.pop(name, None)
    asked = "from azure.iot.device import constant; print(constant.VERSION)"
    version = subprocess.run([sys.executable, "-c", asked], env=environ, capture_output=True, text=True, check=True)
    assert version.stdout.strip() == "2.15.0rc1"
    command = [sys.executable, "-m", "pytest", "-q", "-x", "-p", "no:cacheprovider", *TESTS]
    run = subprocess.run(command, env=environ, cwd=ROOT, capture_output=True, text=True, check=False)
    assert run.returncode == 0, run.stdout[-4000:] + run.stderr[-2000:]
