"""The picture's colours and type: one set of rules, twice, for a light page and for a dark one.

Plain rules instead of CSS variables: renderers that know no variables still draw the light page.
"""

from __future__ import annotations

import enum
from dataclasses import dataclass
from typing import Final

__all__ = ["Theme", "style"]

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


_LIGHT: Final = _Page(
    page="#ffffff",
    ink="#1f2328",
    soft="#59636e",
    state=("#f6f8fa", "#59636e"),
    composite=("#fbfcfd", "#b6bec8"),
    good=("#dafbe1", "#1a7f37"),
    bad=("#ffebe9", "#cf222e"),
    here=("#b6e3ff", "#0969da"),
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
    """The style sheet."""
    if theme is Theme.AUTO:
        return f"{_SHAPES}{_LIGHT.rules()}@media (prefers-color-scheme:dark){{{_DARK.rules()}}}"
    return f"{_SHAPES}{(_LIGHT if theme is Theme.LIGHT else _DARK).rules()}"
