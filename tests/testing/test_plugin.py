"""The pytest plugin, in runs of pytest of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from importlib.metadata import entry_points
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from pathlib import Path


def _run(directory: Path, text: str, *options: str) -> subprocess.CompletedProcess[str]:
    (directory / "test_it.py").write_text(text)
    command = [sys.executable, "-m", "pytest", "-q", "-p", "no:cacheprovider", "-p", "no:randomly", "-c", os.devnull]
    return subprocess.run(
        [*command, *options, "test_it.py"], cwd=directory, capture_output=True, text=True, check=False, timeout=100
    )


def test_pytest_finds_the_plugin_by_itself() -> None:
    """It is registered under the name of the package."""
    (plugin,) = entry_points(group="pytest11", name="fwsm")
    assert plugin.value == "fwsm.testing.plugin"


def test_each_test_gets_a_hub_of_its_own(tmp_path: Path) -> None:
    """Two at once do not meet, and the second test finds nothing of the first."""
    done = _run(
        tmp_path,
        """
import pytest

addresses = []

@pytest.mark.parametrize("_", [1, 2])
def test_hub(iot_hub, _):
    iot_hub.add_device("d1")
    assert iot_hub.twin("d1")["etag"] == "AAAAAAAAAAE="
    addresses.append(iot_hub.address)
    assert len(set(addresses)) == len(addresses)
""",
    )
    assert done.returncode == 0, done.stdout + done.stderr
    assert "2 passed" in done.stdout


def test_others_do_not_pay_for_it(tmp_path: Path) -> None:
    """A run that uses no hub does not import one."""
    done = _run(tmp_path, "import sys\n\ndef test_nothing():\n    assert 'fwsm.hub' not in sys.modules\n")
    assert done.returncode == 0, done.stdout + done.stderr


def test_missing_package_is_named(tmp_path: Path) -> None:
    """With what to install."""
    (tmp_path / "cryptography.py").write_text("raise ModuleNotFoundError(name='cryptography')\n")
    done = _run(tmp_path, "def test_hub(iot_hub):\n    pass\n")
    assert "iot_hub needs the package cryptography. Run: pip install 'fwsm[hub]'" in done.stdout
