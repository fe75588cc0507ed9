"""`make recording`: runs the demo in a terminal, and draws what it showed into docs/pictures/demo.svg."""

from __future__ import annotations

import sys
from pathlib import Path

from docs.recording.capture import Size, capture
from docs.recording.drawing import draw
from docs.recording.screen import frames

PICTURE = Path(__file__).parents[1] / "pictures" / "demo.svg"
SIZE = Size(98, 26)
STORY = (
    "A terminal in which fwsm demo runs: a device loads new firmware, is killed with SIGKILL in the middle of the "
    "download and again while it applies the image, goes on each time, and ends with applyComplete. Then seven claims "
    "about it are listed, and each of them held."
)


def main() -> None:
    """Record it; a demo that failed is not kept."""
    ran = capture([sys.executable, "-m", "fwsm", "demo"], SIZE)
    shown = frames(ran, prompt="$ fwsm demo")
    if ran.code != 0:
        sys.exit("\n".join([*shown[-1].lines, f"error: the demo ended with {ran.code}, so the picture stays as it is"]))
    PICTURE.parent.mkdir(exist_ok=True)
    PICTURE.write_text(draw(shown, SIZE, title="fwsm demo", story=STORY), encoding="utf-8")
    print(f"{PICTURE.name}: {len(shown)} pictures, {PICTURE.stat().st_size / 1024:.0f} KiB")


if __name__ == "__main__":
    main()
