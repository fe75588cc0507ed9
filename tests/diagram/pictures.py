"""The pictures in docs/how-to/diagrams.md. After a change of the drawing: python -m tests.diagram.pictures."""

from __future__ import annotations

from pathlib import Path

from fwsm.core.lifecycle import Trigger
from fwsm.core.update import State
from fwsm.diagram import svg
from fwsm.diagram.embed import between
from fwsm.diagram.graph import Graph
from fwsm.diagram.overlay import Overlay
from fwsm.diagram.timeline import svg as timeline_svg
from fwsm.diagram.timeline import text as timeline_text
from fwsm.store.history import ACCEPTED
from tests.diagram.extended import THREE
from tests.diagram.journeys import LIFECYCLE, told

PAGE = Path(__file__).parents[2] / "docs" / "how-to" / "diagrams.md"
_DAY_S = 86400.0
_WINDOW_S = 2 * _DAY_S + 36_000

JOURNEY = told(
    (0.0, ACCEPTED, State.WAITING),
    (0.1, Trigger.POLICY_DEFERRED, State.WAITING),
    (_WINDOW_S, Trigger.POLICY_ALLOWED, State.DOWNLOADING),
    (_WINDOW_S + 31, Trigger.DOWNLOAD_FAILED, State.DOWNLOADING),
    (_WINDOW_S + 58, Trigger.RESTARTED, State.DOWNLOADING),
    (_WINDOW_S + 94, Trigger.DOWNLOAD_VERIFIED, State.DOWNLOAD_COMPLETE),
    (_WINDOW_S + 94.3, Trigger.POLICY_ALLOWED, State.INSTALLING),
    (_WINDOW_S + 133, Trigger.INSTALLED, State.REBOOTING),
    (_WINDOW_S + 160, Trigger.RESTARTED, State.CONFIRMING, "boot-2"),
    (_WINDOW_S + 190, Trigger.HEALTH_CONFIRMED, State.APPLY_COMPLETE, "boot-2"),
    told_up_to=9,
    incidents=[(_WINDOW_S + 75, "on_entry raised ValueError: no such lamp")],
)
EXTENDED = told(
    (0.0, ACCEPTED, State.WAITING),
    (2.0, Trigger.POLICY_ALLOWED, State.DOWNLOADING),
    (38, Trigger.DOWNLOAD_VERIFIED, State.DOWNLOAD_COMPLETE),
    (38.2, Trigger.POLICY_ALLOWED, "applying.backingUp"),
    (44, Trigger.STEP_FAILED, "applying.backingUp"),
    (62, Trigger.STEP_DONE, State.INSTALLING),
    (101, Trigger.INSTALLED, "applying.warningPeople"),
    (131, Trigger.STEP_DONE, State.REBOOTING),
    (158, Trigger.RESTARTED, "applying.migratingData", "boot-2"),
    now_s=170,
)


def page(text: str) -> str:
    """The page with the timeline as text."""
    block = f"```text\n{timeline_text.text(JOURNEY)}```\n"
    return between(text, "<!-- fwsm:timeline -->", "<!-- /fwsm:timeline -->", block) or text


def pictures() -> dict[Path, str]:
    """Each file with what it should hold."""
    folder = PAGE.parent / "pictures"
    graph = Graph.of(LIFECYCLE)
    return {
        folder / "history.svg": svg.text(graph, Overlay.of(JOURNEY, current=True, history=True)),
        folder / "extended.svg": svg.text(Graph.of(THREE), Overlay.of(EXTENDED, current=True, history=True)),
        folder / "timeline.svg": timeline_svg.text(JOURNEY, LIFECYCLE.states),
        PAGE: page(PAGE.read_text(encoding="utf-8")),
    }


if __name__ == "__main__":
    for path, content in pictures().items():
        path.parent.mkdir(exist_ok=True)
        path.write_text(content, encoding="utf-8")
