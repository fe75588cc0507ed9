"""The rules of the house that no other tool checks, read off the source text.

Style, types and layers are the affair of ruff, mypy and import-linter: see `make check`.
"""

from __future__ import annotations

import ast
import importlib
from functools import cache
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator

ROOT = Path(__file__).parent.parent
PRODUCT = sorted((ROOT / "fwsm").rglob("*.py"))
TESTS = sorted((ROOT / "tests").rglob("*.py"))

# Where a foreign library may be named. What is not listed may be named anywhere that the layers allow.
OWNERS = {
    "asyncio": ("fwsm/hub/", "fwsm/device/iothub/"),
    "azure": ("fwsm/device/iothub/", "fwsm/service/entra.py"),
    "alembic": ("fwsm/store/",),
    "sqlalchemy": ("fwsm/store/",),
    "sqlite3": ("fwsm/store/", "fwsm/hub/diskstate.py"),
    "click": ("fwsm/cli/",),
    "rich": ("fwsm/cli/",),
}

MOST_LINES = 300

# Modules without a test file of their own, and why that is right.
UNTESTED = {
    "fwsm/__main__.py": "one call of the command line; the end-to-end tests start it",
    "fwsm/device/ports.py": "protocols: nothing runs",
    "fwsm/diagram/timeline/parts.py": "records; test_layout places each of them",
    "fwsm/errors/core.py": "classes; tests/test_errors.py goes through the whole tree",
    "fwsm/errors/hub.py": "classes; tests/test_errors.py goes through the whole tree",
    "fwsm/errors/image.py": "classes; tests/test_errors.py goes through the whole tree",
    "fwsm/errors/link.py": "classes; tests/test_errors.py goes through the whole tree",
    "fwsm/errors/root.py": "classes; tests/test_errors.py goes through the whole tree",
    "fwsm/errors/service.py": "classes; tests/test_errors.py goes through the whole tree",
    "fwsm/errors/store.py": "classes; tests/test_errors.py goes through the whole tree",
    "fwsm/hub/engine.py": "the sum of its parts; test_connection and tests/hub/rest drive it",
    "fwsm/hub/inbox.py": "every message of test_connection and test_mqtt goes through it",
    "fwsm/hub/operator.py": "the documents that tests/hub/rest and test_hub read",
    "fwsm/hub/packets.py": "records; test_codec turns each of them into bytes and back",
    "fwsm/hub/runtime.py": "test_hub brings it up and takes it down",
    "fwsm/testing/process.py": "tests/kill is made of it",
    "fwsm/testing/rehearsal/checks.py": "what the demo plays; tests/e2e/test_demo.py judges it",
    "fwsm/testing/rehearsal/rehearsal.py": "what the demo plays; tests/e2e/test_demo.py judges it",
    "fwsm/testing/rehearsal/scenarios.py": "what the demo plays; tests/e2e/test_demo.py judges it",
    "fwsm/testing/rehearsal/stage.py": "what the demo plays; tests/e2e/test_demo.py judges it",
    "fwsm/testing/rehearsal/telling.py": "what the demo plays; tests/e2e/test_demo.py judges it",
}


def test_every_module_has_a_test_file_of_its_own() -> None:
    """A reader finds the tests of a module under the same path, and no reason for their absence has gone stale."""
    missing = [_path(module) for module in PRODUCT if module.name != "__init__.py" and not _test_of(module).exists()]
    assert missing == sorted(UNTESTED)


@pytest.mark.parametrize("library", sorted(OWNERS))
def test_a_foreign_library_stays_in_its_room(library: str) -> None:
    """A library that would shape the code around it is named in one room only."""
    outside = [
        f"{_path(module)}: {name}"
        for module in PRODUCT
        if not _path(module).startswith(OWNERS[library])
        for name in _imports(module)
        if name.split(".")[0] == library
    ]
    assert outside == []


def test_async_functions_stay_behind_the_hub_and_the_link() -> None:
    """Everything else is synchronous: the order of commit, fsync and rename is the argument."""
    kinds = (ast.AsyncFunctionDef, ast.Await, ast.AsyncWith, ast.AsyncFor)
    found = {_path(module) for module in PRODUCT for node in ast.walk(_tree(module)) if isinstance(node, kinds)}
    assert [path for path in found if not path.startswith(OWNERS["asyncio"])] == []


def test_only_the_command_line_prints() -> None:
    """A library that writes to somebody else's terminal is a nuisance."""
    words = {"print", "sys.stdout", "sys.stderr"}
    assert [use for use in _uses(PRODUCT, words) if not use.startswith("fwsm/cli/")] == []


def test_nothing_is_patched_and_nobody_sleeps() -> None:
    """Doubles are small honest classes on a port; waiting is for an event, and time is passed in."""
    assert list(_uses(PRODUCT + TESTS, {"monkeypatch", "mock", "unittest.mock", "time.sleep"})) == []


def test_deadlines_of_tests_have_one_name() -> None:
    """What ought to happen at once is waited for with patience; some seconds are too few for a busy machine.

    Less than a second is a pause, or a deadline that is to come; anything else is named for what it is.
    """
    found = [
        f"{_path(file)}:{number.lineno}: {number.value}"
        for file in TESTS
        for node in ast.walk(_tree(file))
        if isinstance(node, ast.Call)
        for number in _deadlines(node)
        if isinstance(number, ast.Constant) and isinstance(number.value, int | float) and 1 <= number.value < PATIENCE_S
    ]
    assert found == []


def test_modules_are_small() -> None:
    """A module with more lines than that has more than one reason to change."""
    long = [f"{_path(module)}: {lines}" for module in PRODUCT if (lines := _lines(module)) > MOST_LINES]
    assert long == []


def test_every_public_list_names_what_exists() -> None:
    """`__all__` promises nothing that is not there."""
    wrong = [
        f"{_path(module)}: {name}"
        for module in PRODUCT
        for name in _public(module)
        if not hasattr(importlib.import_module(_dotted(module)), name)
    ]
    assert wrong == []


def test_modules_use_only_what_the_others_make_public() -> None:
    """What one module imports from another stands in the other's `__all__`, or is a module itself."""
    doors = {_dotted(module): set(_public(module)) for module in PRODUCT}
    wrong = [
        f"{_path(module)}: {node.module}.{alias.name}"
        for module in PRODUCT
        for node in ast.walk(_tree(module))
        if isinstance(node, ast.ImportFrom) and node.module in doors
        for alias in node.names
        if alias.name not in doors[node.module] and f"{node.module}.{alias.name}" not in doors
    ]
    assert wrong == []


def _deadlines(call: ast.Call) -> Iterator[ast.expr]:
    """What a call is given to wait for, in the standard library and in the product."""
    yield from (keyword.value for keyword in call.keywords if keyword.arg == "timeout")
    if not isinstance(call.func, ast.Attribute):
        return
    if call.func.attr.startswith("wait"):
        yield from call.args[-1:]
    elif call.func.attr in {"join", "result", "settimeout", "timeout"}:
        yield from call.args[:1]


def _path(file: Path) -> str:
    return file.relative_to(ROOT).as_posix()


def _lines(module: Path) -> int:
    return len(module.read_text().splitlines())


def _dotted(module: Path) -> str:
    return ".".join(module.relative_to(ROOT).with_suffix("").parts).removesuffix(".__init__")


def _test_of(module: Path) -> Path:
    """The mirror of a module; that of a package's own `__init__` stands beside the package's tests."""
    own = module.parent if module.name == "__init__.py" else module.with_suffix("")
    *rooms, name = own.relative_to(ROOT).parts
    return ROOT.joinpath("tests", *rooms[1:], f"test_{name}.py")


@cache
def _tree(file: Path) -> ast.Module:
    return ast.parse(file.read_text(), file)


def _imports(file: Path) -> Iterator[str]:
    for node in ast.walk(_tree(file)):
        if isinstance(node, ast.Import):
            yield from (alias.name for alias in node.names)
        elif isinstance(node, ast.ImportFrom) and node.module:
            yield from (f"{node.module}.{alias.name}" for alias in node.names)


def _public(module: Path) -> list[str]:
    for node in _tree(module).body:
        if isinstance(node, ast.Assign) and ast.unparse(node.targets[0]) == "__all__":
            names: list[str] = ast.literal_eval(node.value)
            return names
    return []


def _uses(files: list[Path], words: set[str]) -> Iterator[str]:
    """Where one of the words is used: as a name, as an argument, in an import, or as a dotted name."""
    ends = {word.rpartition(".")[2] for word in words}
    for file in files:
        for node in ast.walk(_tree(file)):
            if isinstance(node, ast.Name):
                word = node.id
            elif isinstance(node, ast.Attribute) and node.attr in ends:  # to write all of them out takes long
                word = ast.unparse(node)
            elif isinstance(node, ast.arg):
                word = node.arg
            else:
                continue
            if word in words:
                yield f"{_path(file)}:{node.lineno}: {word}"
        yield from (f"{_path(file)}: imports {name}" for name in _imports(file) if name in words)
