from __future__ import annotations

import re

from fwsm.diagram.palette import style


def test_dark_page_recolours_what_the_light_page_colours() -> None:
    """Both pages have rules for the same shapes, and no colour of theirs is the same for all."""
    light, _, dark = style().partition("@media (prefers-color-scheme:dark){")
    coloured = r"([^{}]+)\{((?:fill|stroke):#[^}]*)\}"
    light_rules, dark_rules = dict(re.findall(coloured, light)), dict(re.findall(coloured, dark))
    assert set(light_rules) == set(dark_rules)
    assert all(light_rules[shape] != dark_rules[shape] for shape in light_rules)


def test_style_is_whole() -> None:
    """Every brace is closed, and nothing is fetched from elsewhere."""
    assert style().count("{") == style().count("}")
    assert "url(" not in style()
    assert "@import" not in style()
