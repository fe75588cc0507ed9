"""The picture's colours and type: one set of rules, twice, for a light page and for a dark one.

Plain rules instead of CSS variables: renderers that know no variables still draw the light page.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

__all__ = ["Theme", "style", "timeline_style"]

_SANS: Final = 'system-ui,-apple-system,"Segoe UI",Roboto,"Helvetica Neue",Arial,sans-serif'
_MONO: Final = 'ui-monospace,SFMono-Regular,Menlo,Consolas,"Liberation Mono","DejaVu Sans Mono",monospace'

_SHAPES: Final = (
    f"text{{font-family:{_SANS}}}"
    ".head{font-size:18px;font-weight:600}"
    ".state text{font-size:14px;font-weight:600;text-anchor:middle}"
    ".state rect{stroke-width:1.6}"
    ".composite text{font-size:14px;font-weight:600}"
    ".composite rect{stroke-width:1.4}"
    f".trigger{{font:12px {_MONO}}}"
    f".guard{{font:10px {_MONO}}}"
    ".note{font-size:12px}"
    ".line{fill:none;stroke-width:1.6}"
    ".line.restart{stroke-dasharray:6 4}"
    ".line.command{stroke-dasharray:1.6 4;stroke-linecap:round;stroke-width:2}"
    ".sign{fill:none;stroke-width:1.5}"
    ".sign .tip,.tip{stroke:none}"
    ".ring{fill:none;stroke-width:1.6}"
    f".count{{font:10px {_MONO};text-anchor:middle}}"
    f".state .count{{font:10px {_MONO}}}"
    ".here rect{stroke-width:4}"
    ".pill rect{stroke-width:1.2}"
    ".missed{opacity:.4}"
    ".taken .line{stroke-width:3}"
)


_TIMELINE_SHAPES: Final = (
    f"text{{font-family:{_SANS}}}"
    ".head{font-size:18px;font-weight:600}"
    ".note{font-size:12px}"
    ".key{font-size:11px}"
    ".lane{font-size:13px;font-weight:600}"
    ".low{font-weight:400}"
    f".count{{font:10px {_MONO};text-anchor:middle}}"
    ".count.left{text-anchor:start}"
    ".bar rect{stroke-width:1.4}"
    ".bar.open rect{stroke-dasharray:4 3}"
    ".thin{stroke-width:1}"
    ".line{fill:none;stroke-width:1.6}"
    ".line.restart{stroke-dasharray:4 3}"
    ".line.command{stroke-dasharray:1.6 4;stroke-linecap:round;stroke-width:2}"
    ".boot{stroke-width:1.2;stroke-dasharray:2 4}"
    ".now{stroke-width:1.6}"
    ".band{fill-opacity:.1}"
    ".gap,.rim{fill:none}.gap{stroke-width:5}.rim{stroke-width:1}"
    ".sign,.power,.cross,.pause,.hook,.bang{fill:none;stroke-width:1.6;stroke-linecap:round}"
    ".sign .tip{stroke:none}"
    ".untold,.done,.disc{stroke-width:1.4}"
)


@dataclass(frozen=True, slots=True)
class _Page:
    """The colours of one page, as CSS writes them. A pair is fill and border."""

    page: str
    ink: str
    soft: str
    state: tuple[str, str]
    composite: tuple[str, str]
    good: tuple[str, str]
    bad: tuple[str, str]
    here: tuple[str, str]
    load: tuple[str, str]
    apply: tuple[str, str]
    fact: str
    restart: str
    command: str

    def rules(self) -> str:
        """The rules that colour the shapes."""
        ways = {"fact": self.fact, "restart": self.restart, "command": self.command}
        kinds = {".state": self.state, ".composite": self.composite, ".state.good": self.good, ".state.bad": self.bad}
        parts = [
            f".page{{fill:{self.page}}}",
            f".head,.state text,.composite text,.pill text{{fill:{self.ink}}}",
            f".note,.guard{{fill:{self.soft}}}",
            f".dot{{fill:{self.fact}}}.ring{{stroke:{self.fact}}}",
        ]
        parts += [f"{kind} rect{{fill:{fill};stroke:{border}}}" for kind, (fill, border) in kinds.items()]
        parts += [
            f".here rect{{stroke:{self.here[1]}}}.state.open rect{{fill:{self.here[0]}}}",
            f".pill rect{{fill:{self.page}}}",
        ]
        parts += [f".pill.{way} rect{{stroke:{colour}}}" for way, colour in ways.items()]
        parts += [
            f".line.{way}{{stroke:{colour}}}.sign.{way}{{stroke:{colour}}}"
            f".tip.{way},.sign.{way} .tip,.trigger.{way}{{fill:{colour}}}"
            for way, colour in ways.items()
        ]
        return "".join(parts)

    def timeline_rules(self) -> str:
        """The rules that colour a timeline."""
        stages = {"wait": self.state, "load": self.load, "apply": self.apply, "good": self.good, "bad": self.bad}
        parts = [
            f".page,.untold,.disc{{fill:{self.page}}}.gap,.bang{{stroke:{self.page}}}",
            f".head,.lane{{fill:{self.ink}}}.note,.key,.count{{fill:{self.soft}}}.strong{{fill:{self.ink}}}",
            f".thin{{stroke:{self.composite[1]};stroke-opacity:.5}}.thin.tick{{stroke-opacity:.25}}",
            f".band{{fill:{self.soft}}}.rim,.pause,.untold,.disc{{stroke:{self.soft}}}",
            f".line.fact{{stroke:{self.soft}}}.line.restart,.boot,.power{{stroke:{self.restart}}}",
            f".sign.restart{{stroke:{self.restart}}}.sign.restart .tip{{fill:{self.restart}}}",
            f".line.command{{stroke:{self.command}}}.sign.command .tip{{fill:{self.command}}}",
            f".now{{stroke:{self.here[1]}}}.now-word{{fill:{self.here[1]}}}",
            f".cross{{stroke:{self.bad[1]}}}.hook{{stroke:{self.good[1]}}}.told{{fill:{self.good[1]}}}",
            f".alarm{{fill:{self.apply[1]}}}",
        ]
        parts += [
            f".bar.{stage} rect,.done.{stage}{{fill:{fill};stroke:{border}}}"
            for stage, (fill, border) in stages.items()
        ]
        return "".join(parts)


_LIGHT: Final = _Page(
    page="#ffffff",
    ink="#1f2328",
    soft="#59636e",
    state=("#f6f8fa", "#59636e"),
    composite=("#fbfcfd", "#b6bec8"),
    good=("#dafbe1", "#1a7f37"),
    bad=("#ffebe9", "#cf222e"),
    here=("#b6e3ff", "#0969da"),
    load=("#b6e3ff", "#0969da"),
    apply=("#fae17d", "#9a6700"),
    fact="#32383f",
    restart="#0860ca",
    command="#8250df",
)
_DARK: Final = _Page(
    page="#0d1117",
    ink="#f0f6fc",
    soft="#9198a1",
    state=("#1c2128", "#9198a1"),
    composite=("#12171e", "#3d444d"),
    good=("#12261e", "#3fb950"),
    bad=("#2d1416", "#f85149"),
    here=("#0c2d6b", "#58a6ff"),
    load=("#0c2d6b", "#58a6ff"),
    apply=("#4b2900", "#d29922"),
    fact="#d1d7e0",
    restart="#6cb6ff",
    command="#bc8cff",
)


class Theme(enum.StrEnum):
    """For which page a picture is."""

    AUTO = "auto"  # as the reader's system is
    LIGHT = "light"
    DARK = "dark"


def style(theme: Theme = Theme.AUTO) -> str:
    """The style sheet of the lifecycle."""
    return _sheet(theme, _SHAPES, _LIGHT.rules(), _DARK.rules())


def timeline_style(theme: Theme = Theme.AUTO) -> str:
    """The style sheet of a timeline."""
    return _sheet(theme, _TIMELINE_SHAPES, _LIGHT.timeline_rules(), _DARK.timeline_rules())


def _sheet(theme: Theme, shapes: str, light: str, dark: str) -> str:
    if theme is Theme.AUTO:
        return f"{shapes}{light}@media (prefers-color-scheme:dark){{{dark}}}"
    return f"{shapes}{light if theme is Theme.LIGHT else dark}"
