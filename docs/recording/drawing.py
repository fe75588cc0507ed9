"""Frames as one animated SVG, without a script: a strip of pictures that CSS moves past a window, one by one.

Each distinct row is written once and used wherever it stands. A browser that wants no motion, and a program that knows
no animation, show the last picture.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Final
from xml.sax.saxutils import escape, quoteattr

if TYPE_CHECKING:
    from collections.abc import Sequence

    from docs.recording.capture import Size
    from docs.recording.screen import Frame, Row, Run

__all__ = ["draw"]

_COLUMN, _ROW = 8.4, 18  # of a character of 14 pixels, in most fonts of even width
_FONT_SIZE = 14
_BASE = 13.5  # of the letters, from the top of their row
_MARGIN, _BAR = 16, 34  # around the text, and the window's bar above it
_LAST_LASTS_S = 8.0

_DARK: Final = {
    "back": "#0d1117", "bar": "#161b22", "edge": "#30363d", "default": "#c9d1d9", "title": "#8b949e",
    "red": "#ff7b72", "green": "#56d364", "brown": "#e3b341", "blue": "#79c0ff", "magenta": "#d2a8ff",
    "cyan": "#56d4dd",
}  # fmt: skip
_LIGHT: Final = {
    "back": "#ffffff", "bar": "#f6f8fa", "edge": "#d0d7de", "default": "#24292f", "title": "#57606a",
    "red": "#cf222e", "green": "#116329", "brown": "#7d4e00", "blue": "#0550ae", "magenta": "#8250df",
    "cyan": "#1b7c83",
}  # fmt: skip


def draw(frames: Sequence[Frame], size: Size, *, title: str, story: str) -> str:
    """Return the SVG.

    Args:
        frames: at least one.
        size: of the terminal.
        title: in the window's bar.
        story: what is to be seen, for those who do not see it.
    """
    width = round(size.columns * _COLUMN + 2 * _MARGIN)
    window = size.rows * _ROW
    height = _BAR + window + 2 * _MARGIN
    names = _names(frames)
    rows = "\n".join(f'<g id="{name}">{"".join(map(_text, row))}</g>' for row, name in names.items())
    strip = "\n".join(
        f'<g transform="translate(0 {number * window})">{_uses(frame, names)}</g>'
        for number, frame in enumerate(frames)
    )
    dots = "".join(f'<circle class="dot" cx="{20 + 18 * number}" cy="{_BAR / 2:g}" r="5.5"/>' for number in range(3))
    return f"""\
<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {width} {height}" width="{width}" height="{height}" role="img">
<title>{escape(title)}</title>
<desc>{escape(story)}</desc>
<style>
{_style(frames, window)}
</style>
<defs>
{rows}
</defs>
<rect class="window" x="0.5" y="0.5" width="{width - 1}" height="{height - 1}" rx="8"/>
<path class="bar" d="M1 {_BAR}V8.5a7.5 7.5 0 0 1 7.5-7.5H{width - 8.5}a7.5 7.5 0 0 1 7.5 7.5V{_BAR}z"/>
{dots}
<text class="title" x="{width / 2:g}" y="{_BAR / 2 + 4.5:g}">{escape(title)}</text>
<svg x="{_MARGIN}" y="{_BAR + _MARGIN}" width="{width - 2 * _MARGIN}" height="{window}">
<g class="strip">
{strip}
</g>
</svg>
</svg>
"""


def _names(frames: Sequence[Frame]) -> dict[Row, str]:
    """A short name for each distinct row that has something on it."""
    found = dict.fromkeys(row for frame in frames for row in frame.rows if row)
    return {row: f"r{number}" for number, row in enumerate(found)}


def _uses(frame: Frame, names: dict[Row, str]) -> str:
    return "".join(
        f'<use href="#{names[row]}"' + (f' y="{number * _ROW}"/>' if number else "/>")
        for number, row in enumerate(frame.rows)
        if row
    )


def _text(run: Run) -> str:
    """One run, as wide as its columns whatever the font."""
    looks = " ".join([*([run.colour] if run.colour in _DARK and run.colour != "default" else []), *["b"] * run.bold])
    wide = f"{len(run.text) * _COLUMN:g}"
    return (
        f'<text x="{run.column * _COLUMN:g}" y="{_BASE:g}" textLength="{wide}"'
        + (f" class={quoteattr(looks)}" if looks else "")
        + f">{escape(run.text)}</text>"
    )


def _style(frames: Sequence[Frame], window: int) -> str:
    lasts_s = frames[-1].at_s + _LAST_LASTS_S
    stops = "".join(
        f"{100 * frame.at_s / lasts_s:.3f}%{{transform:translateY({-number * window}px)}}"
        for number, frame in enumerate(frames)
    )
    last = f"translateY({-(len(frames) - 1) * window}px)"
    return f"""\
text{{font:{_FONT_SIZE}px ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace;\
white-space:pre;fill:{_DARK["default"]}}}
.b{{font-weight:bold}}
.title{{text-anchor:middle;font-family:system-ui,sans-serif;font-size:13px}}
{_palette(_DARK)}
@media (prefers-color-scheme:light){{text{{fill:{_LIGHT["default"]}}}{_palette(_LIGHT)}}}
@keyframes play{{{stops}100%{{transform:{last}}}}}
.strip{{transform:{last};animation:play {lasts_s:.2f}s step-end infinite}}
@media (prefers-reduced-motion:reduce){{.strip{{animation:none}}}}"""


def _palette(colours: dict[str, str]) -> str:
    special = {
        "back": f".window{{fill:{colours['back']};stroke:{colours['edge']}}}",
        "bar": f".bar{{fill:{colours['bar']}}}",
        "edge": f".dot{{fill:{colours['edge']}}}",
        "default": "",
    }
    return "".join(special.get(name, f".{name}{{fill:{value}}}") for name, value in colours.items())
