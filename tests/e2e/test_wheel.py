"""The package as a device gets it: built, not checked out."""

from __future__ import annotations

import os
import subprocess
import sys
import zipfile
from pathlib import Path

import pytest

pytestmark = pytest.mark.e2e

ROOT = Path(__file__).parents[2]
FIRST_START = """
import sys
from pathlib import Path
import fwsm.store.schema as schema
from fwsm.store import Store
Store(Path(sys.argv[1])).close()
print(schema.migrations_directory())
"""


def test_the_wheel_brings_its_migrations_and_runs_them(tmp_path: Path) -> None:
    """A database is made by what is in the wheel alone, and the types are there for whoever embeds it."""
    build = [sys.executable, "-m", "pip", "wheel", "--quiet", "--no-deps", "--wheel-dir", f"{tmp_path}", f"{ROOT}"]
    subprocess.run(build, check=True, capture_output=True)
    (wheel,) = tmp_path.glob("fwsm-*-py3-none-any.whl")
    installed = tmp_path / "site"
    with zipfile.ZipFile(wheel) as file:
        names = file.namelist()
        file.extractall(installed)
    assert "fwsm/py.typed" in names
    assert any(name.endswith("licenses/LICENSE") for name in names)
    assert not [name for name in names if name.startswith(("tests/", "benchmarks/"))]
    shown = subprocess.run(
        [sys.executable, "-c", FIRST_START, f"{tmp_path / 'state'}"],
        check=True,
        capture_output=True,
        text=True,
        cwd=tmp_path,
        env=os.environ | {"PYTHONPATH": f"{installed}"},
    )
    assert Path(shown.stdout.strip()) == installed / "fwsm" / "store" / "migrations"
