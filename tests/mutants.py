"""`make mutants`: changes of the core that no test of the core notices, and whether each has been explained.

mutmut changes the core in some thousand places, one at a time, and runs the tests that come by each. It imports the
core once for all, so it cannot judge what runs on import only, such as the making of the tables. What survives is
therefore judged again here, in a process of its own, by the pages that are drawn from the core and by the tests. What
is left must stand in docs/reference/mutants.md, with the reason why it is no fault; whatever does not is printed, and
the exit status is 1.
"""

from __future__ import annotations

import ast
import difflib
import json
import os
import re
import subprocess
import sys
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parents[1]
COPY = ROOT / "mutants"
PAGE = ROOT / "docs" / "reference" / "mutants.md"
# Exit statuses of pytest, as mutmut keeps them: a test failed, or could not be collected. All others need a look.
_KILLED = (1, 2, 3)
_PYTEST = ("pytest", "-x", "-q", "-p", "no:xdist", "-p", "no:randomly")
# Fewer examples than usual, and the same every time: each mutant meets all of them.
_ENVIRONMENT = os.environ | {"HYPOTHESIS_PROFILE": "mutants"}


def main(jobs: int) -> int:
    """Make the mutants, judge them, and print those that nobody has explained."""
    command = [sys.executable, "-m", "mutmut", "run", "--max-children", str(jobs)]
    subprocess.run(command, cwd=ROOT, env=_ENVIRONMENT, check=True)
    with ThreadPoolExecutor(jobs) as pool:
        alive = list(_alive())
        survivors = [name for name, killed in zip(alive, pool.map(_killed, alive), strict=True) if not killed]
    explained = set(re.findall(r"```diff\n(.*?)```", PAGE.read_text(encoding="utf-8"), re.DOTALL))
    changes = {name: _change(name) for name in survivors}
    for name, change in changes.items():
        if change not in explained:
            print(f"{name}\n{change}")
    for change in explained.difference(changes.values()):
        print(f"explained, but killed by now, or gone:\n{change}")
    print(f"{len(survivors)} survive, {sum(change not in explained for change in changes.values())} unexplained")
    return int(any(change not in explained for change in changes.values()))


def _alive() -> Iterator[str]:
    """The mutants that mutmut has not seen killed."""
    for file in sorted((COPY / "fwsm" / "core").rglob("*.meta")):
        for name, status in json.loads(file.read_text(encoding="utf-8"))["exit_code_by_key"].items():
            if status not in _KILLED:
                yield name


def _killed(name: str) -> bool:
    """Whether a check notices the mutant when it is there from the first import on.

    The pages that are drawn from the core's tables tell in a second; then come the module's own tests, and then all.
    """
    module = name.split(".")[-2]
    own = str(next((COPY / "tests" / "core").rglob(f"test_{module}.py")))
    if _status(name, "fwsm", "diagram", "--check") != 0:
        return True
    return _status(name, *_PYTEST, own, "tests/core") in _KILLED


def _status(name: str, *arguments: str) -> int:
    command, environment = [sys.executable, "-m", *arguments], _ENVIRONMENT | {"MUTANT_UNDER_TEST": name}
    return subprocess.run(command, cwd=COPY, env=environment, capture_output=True, check=False).returncode


def _change(name: str) -> str:
    """The lines that the mutant takes out and puts in."""
    module, _, function = name.rpartition(".")
    source = (COPY / module.replace(".", "/")).with_suffix(".py").read_text(encoding="utf-8")
    bodies = {node.name: node.body for node in ast.walk(ast.parse(source)) if isinstance(node, ast.FunctionDef)}
    base = function.rpartition("__mutmut_")[0]
    before, after = (
        "\n".join(ast.unparse(statement) for statement in bodies[version]).splitlines()
        for version in (f"{base}__mutmut_orig", function)
    )
    return "".join(
        f"{line[0]} {line[1:].strip()}\n"
        for line in difflib.unified_diff(before, after, lineterm="", n=0)
        if not line.startswith(("---", "+++", "@@"))
    )


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1])))
