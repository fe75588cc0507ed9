"""The generated files: which there are, writing them, and telling which are stale.

They lie in one folder. Beside it lie the README that shows the diagram, and `docs/` with the page that shows the table
of commands.
"""

from __future__ import annotations

import os
from difflib import unified_diff
from pathlib import Path
from typing import TYPE_CHECKING, Final

from fwsm.diagram.commands import MARKERS, grid
from fwsm.diagram.embed import between, embedded
from fwsm.diagram.formats import FORMATS
from fwsm.diagram.overlay import PLAIN
from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from fwsm.diagram.graph import Graph

__all__ = ["differences", "save", "write"]

_README: Final = "README.md"
_COMMANDS: Final = Path("docs", "reference", "commands.md")
_SUFFIXES: Final = {"mermaid": "mmd"}  # where the name of the format is not its suffix


def write(graph: Graph, folder: Path) -> list[Path]:
    """Bring all files up to date; return those that have changed.

    Raises:
        ConfigError: a file cannot be read or written, or the README's block is broken.
    """
    changed = [(path, text) for path, text in _wanted(graph, folder).items() if _read(path) != text]
    for path, text in changed:
        save(path, text.encode())
    return [path for path, _ in changed]


def differences(graph: Graph, folder: Path) -> list[str]:
    """A unified diff for each stale file, from what is there to what should be there; empty if all are fresh.

    Raises:
        ConfigError: a file cannot be read, or the README's block is broken.
    """
    diffs = []
    for path, text in _wanted(graph, folder).items():
        found = _read(path)
        if found != text:
            before, after = (found or "").splitlines(keepends=True), text.splitlines(keepends=True)
            name = "/dev/null" if found is None else str(path)
            lines = unified_diff(before, after, name, f"{path} (generated)")
            diffs.append("".join(line if line.endswith("\n") else f"{line}\n" for line in lines))
    return diffs


def save(path: Path, content: bytes) -> None:
    """Write one file, with its folder if that is missing.

    Raises:
        ConfigError: it cannot be written.
    """
    try:
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(content)
    except OSError as error:
        raise ConfigError(f"{path} cannot be written", why=_why(error), fix="Choose another place") from error


def _wanted(graph: Graph, folder: Path) -> dict[Path, str]:
    """Every file that there should be, with its text."""
    files = {folder / f"lifecycle.{_SUFFIXES.get(name, name)}": text(graph, PLAIN) for name, text in FORMATS.items()}
    readme = Path(os.path.relpath(folder.resolve().parent / _README))
    shown = _read(readme)
    fresh = {readme: embedded(shown, graph, folder.resolve().name) if shown is not None else None}
    page = Path(os.path.relpath(folder.resolve().parent / _COMMANDS))
    shown = _read(page)
    fresh[page] = between(shown, *MARKERS, grid()) if shown is not None else None
    return files | {path: text for path, text in fresh.items() if text is not None}


def _read(path: Path) -> str | None:
    try:
        with path.open(encoding="utf-8", newline="") as file:
            return file.read()
    except FileNotFoundError:
        return None
    except (OSError, UnicodeDecodeError) as error:
        raise ConfigError(f"{path} cannot be read", why=_why(error), fix="Mend or remove it") from error


def _why(error: OSError | UnicodeDecodeError) -> str:
    return error.strerror or str(error) if isinstance(error, OSError) else "it is not UTF-8"
