from __future__ import annotations

import re
from typing import TYPE_CHECKING

import pytest

from fwsm.diagram.palette import Theme, style, timeline_style

if TYPE_CHECKING:
    from collections.abc import Callable

BOTH = pytest.mark.parametrize("sheet", [style, timeline_style])


@BOTH
def test_dark_page_recolours_what_the_light_page_colours(sheet: Callable[[Theme], str]) -> None:
    """Both pages have rules for the same shapes, and no colour of theirs is the same for all."""
    light, _, dark = sheet(Theme.AUTO).partition("@media (prefers-color-scheme:dark){")
    coloured = r"([^{}]+)\{((?:fill|stroke):#[^}]*)\}"
    light_rules, dark_rules = dict(re.findall(coloured, light)), dict(re.findall(coloured, dark))
    assert set(light_rules) == set(dark_rules)
    assert all(light_rules[shape] != dark_rules[shape] for shape in light_rules)


@BOTH
def test_style_is_whole(sheet: Callable[[Theme], str]) -> None:
    """Every brace is closed, and nothing is fetched from elsewhere."""
    for theme in Theme:
        assert sheet(theme).count("{") == sheet(theme).count("}")
        assert "url(" not in sheet(theme)
        assert "@import" not in sheet(theme)


@BOTH
def test_a_theme_is_one_of_the_two_pages(sheet: Callable[[Theme], str]) -> None:
    """The same rules, without asking the reader's system."""
    assert sheet(Theme.AUTO).startswith(sheet(Theme.LIGHT))
    assert sheet(Theme.DARK) not in {sheet(Theme.LIGHT), sheet(Theme.AUTO)}
    assert "@media" not in sheet(Theme.LIGHT) + sheet(Theme.DARK)
