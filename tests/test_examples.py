"""The Python of the documents: every block is type-checked and run.

A block is a program of its own in a directory of its own. One that defines tests is run by pytest. One that is marked
`service` works until it is stopped: `tests/e2e/test_embedding.py` sends it an update.
"""

from __future__ import annotations

import os
import re
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])


@dataclass(frozen=True)
class Example:
    """One block of Python."""

    page: str
    number: int
    mark: str
    code: str

    def __str__(self) -> str:
        return f"{self.page}-{self.number}"


def examples() -> list[Example]:
    """All of them."""
    found = []
    for page in PAGES:
        blocks = re.findall(r"^```python ?(\w*)\n(.*?)^```", page.read_text(), re.DOTALL | re.MULTILINE)
        name = page.relative_to(ROOT).with_suffix("").as_posix().replace("/", "_").replace("-", "_")
        found += [Example(name, number, mark, code) for number, (mark, code) in enumerate(blocks, 1)]
    return found


def test_the_examples_are_typed(tmp_path: Path) -> None:
    """What a reader copies passes mypy --strict."""
    files = []
    for example in examples():
        file = tmp_path / f"{example.page}_{example.number}.py"
        file.write_text(example.code)
        files.append(str(file))
    command = [sys.executable, "-m", "mypy", "--strict", "--config-file", f"{ROOT / 'pyproject.toml'}", *files]
    checked = subprocess.run(command, cwd=ROOT, capture_output=True, text=True, check=False)
    assert checked.returncode == 0, checked.stdout
    assert files


@pytest.mark.parametrize("example", [example for example in examples() if not example.mark], ids=str)
def test_an_example_runs(example: Example, tmp_path: Path) -> None:
    """To its end, without an error."""
    is_test = "class Test" in example.code or "def test_" in example.code
    file = tmp_path / ("test_example.py" if is_test else "example.py")
    file.write_text(example.code)
    pytest_options = ["-m", "pytest", "-q", "-p", "no:randomly", "-p", "no:cacheprovider", "-c", os.devnull]
    command = [sys.executable, *(pytest_options if is_test else []), str(file)]
    done = subprocess.run(command, cwd=tmp_path, capture_output=True, text=True, check=False)
    assert done.returncode == 0, done.stdout + done.stderr
