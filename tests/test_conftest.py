"""The line behind a failed run: it repeats that run."""

from __future__ import annotations

import re
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[1]
FAILING = "import random\n\ndef test_it():\n    raise AssertionError(f'drawn {random.random()}')\n"


def test_a_failed_run_prints_what_repeats_it(tmp_path: Path) -> None:
    """Run again as it says, the random values are the same."""
    test = tmp_path / "test_it.py"
    test.write_text(FAILING)
    first = _pytest(str(test))
    (options,) = re.findall(r"^repeat with: pytest (.*)$", first, re.MULTILINE)
    again = _pytest(str(test), *options.split())
    drawn = re.compile(r"drawn \d\S*")
    assert drawn.findall(first)
    assert drawn.findall(again) == drawn.findall(first)


def _pytest(*arguments: str) -> str:
    command = [sys.executable, "-m", "pytest", "-p", "tests.conftest", "-p", "no:cacheprovider", *arguments]
    return subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False).stdout
