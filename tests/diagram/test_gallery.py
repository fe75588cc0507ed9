from __future__ import annotations

from pathlib import Path

import pytest

from fwsm.core.lifecycle import Lifecycle
from fwsm.diagram.embed import CLOSING, OPENING
from fwsm.diagram.gallery import differences, save, write
from fwsm.diagram.graph import Graph
from fwsm.errors import ConfigError

GRAPH = Graph.of(Lifecycle())
REPOSITORY = Path(__file__).parents[2]
NAMES = {"lifecycle.mmd", "lifecycle.dot", "lifecycle.svg", "lifecycle.md", "lifecycle.json"}


def test_committed_diagrams_are_fresh() -> None:
    """What lies in diagrams/ and in the README is what the table says today; mend it with fwsm diagram --write."""
    assert {path.name for path in (REPOSITORY / "diagrams").iterdir()} == NAMES
    assert OPENING in (REPOSITORY / "README.md").read_text(encoding="utf-8")
    assert "".join(differences(GRAPH, REPOSITORY / "diagrams")) == ""


def test_written_files_are_fresh(tmp_path: Path) -> None:
    """After writing nothing differs, and writing again changes nothing."""
    folder = tmp_path / "diagrams"
    assert {path.name for path in write(GRAPH, folder)} == NAMES
    assert differences(GRAPH, folder) == []
    assert write(GRAPH, folder) == []


def test_stale_file_is_shown_as_a_diff(tmp_path: Path) -> None:
    """A changed line appears with what is there and what should be there; fresh files are not mentioned."""
    write(GRAPH, tmp_path / "d")
    stale = tmp_path / "d" / "lifecycle.mmd"
    stale.write_text(stale.read_text(encoding="utf-8").replace("policy_allowed", "policy_denied", 1), encoding="utf-8")
    (diff,) = differences(GRAPH, tmp_path / "d")
    assert diff.startswith(f"--- {stale}\n+++ {stale} (generated)\n@@ ")
    assert "\n-    waiting --> downloading : policy_denied\n+    waiting --> downloading : policy_allowed\n" in diff


def test_missing_file_is_stale(tmp_path: Path) -> None:
    """A file that is not there is shown as new, whole."""
    write(GRAPH, tmp_path / "d")
    (tmp_path / "d" / "lifecycle.dot").unlink()
    (diff,) = differences(GRAPH, tmp_path / "d")
    assert diff.startswith("--- /dev/null\n")
    assert "+digraph lifecycle {\n" in diff


def test_line_without_an_end_does_not_spoil_the_diff(tmp_path: Path) -> None:
    """A file that was cut off still gives a diff of whole lines."""
    write(GRAPH, tmp_path / "d")
    (tmp_path / "d" / "lifecycle.dot").write_text("digraph", encoding="utf-8")
    (diff,) = differences(GRAPH, tmp_path / "d")
    assert "\n-digraph\n+digraph lifecycle {\n" in diff


def test_readme_beside_the_folder_is_kept_fresh(tmp_path: Path) -> None:
    """Its block counts as one of the files; the rest of it is not touched, line ends included."""
    readme = tmp_path / "README.md"
    readme.write_bytes(f"# Mine\r\n{OPENING}\n{CLOSING}\r\nend\r\n".encode())
    write(GRAPH, tmp_path / "d")
    assert readme.read_bytes().startswith(f"# Mine\r\n{OPENING}\n```mermaid\n".encode())
    assert readme.read_bytes().endswith(f"{CLOSING}\r\nend\r\n".encode())
    assert differences(GRAPH, tmp_path / "d") == []
    readme.write_text(readme.read_text(encoding="utf-8").replace("health_failed", "sick"), encoding="utf-8")
    (diff,) = differences(GRAPH, tmp_path / "d")
    assert "README.md (generated)" in diff


def test_file_that_cannot_be_written_is_named(tmp_path: Path) -> None:
    """A file where a folder should be: what, why and what to do."""
    (tmp_path / "taken").write_text("", encoding="utf-8")
    with pytest.raises(ConfigError, match=r"taken.x cannot be written: .*Choose another place"):
        save(tmp_path / "taken" / "x", b"text")


def test_file_that_cannot_be_read_is_named(tmp_path: Path) -> None:
    """A folder or foreign bytes where a text should be: what, why and what to do."""
    (tmp_path / "lifecycle.mmd").mkdir()
    with pytest.raises(ConfigError, match=r"lifecycle\.mmd cannot be read: "):
        differences(GRAPH, tmp_path)
    (tmp_path / "lifecycle.mmd").rmdir()
    (tmp_path / "lifecycle.mmd").write_bytes(b"\xff\xfe")
    with pytest.raises(ConfigError, match=r"lifecycle\.mmd cannot be read: it is not UTF-8"):
        differences(GRAPH, tmp_path)
