"""A picture as pixels, by the extra `png`: resvg draws it, with fonts that come along.

Fonts of its own, because a device often has none, and text without a font is left out without a word. A machine's own
fonts are asked only where a device speaks a language that ours cannot write.
"""

from __future__ import annotations

from importlib.resources import as_file, files
from typing import TYPE_CHECKING, Final

from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from importlib.resources.abc import Traversable

__all__ = ["rendered"]

_ZOOM: Final = 2.0  # dots for each unit of the picture: sharp on today's screens
_FONTS: Final = {
    "fontpkg_fira_sans": ("FiraSans-Regular.ttf", "FiraSans-SemiBold.ttf"),
    "fontpkg_ibm_plex_mono": ("IBMPlexMono-Regular.ttf",),
}
_LATIN: Final = 0x250  # all before it is in both fonts
_BEYOND: Final = frozenset("→≥…")


def rendered(svg: str) -> bytes:
    """The bytes of a PNG. Media rules are not known here: the light page or the dark one has to be chosen before.

    Args:
        svg: one of our pictures.

    Raises:
        ConfigError: the extra is not installed.
    """
    try:
        import resvg_py  # noqa: PLC0415  # optional

        fonts = [_file(package, name) for package, names in _FONTS.items() for name in names]
    except ModuleNotFoundError as error:
        fix = "Install them: pip install 'fwsm[png]'"
        raise ConfigError("PNG needs packages that are not installed", why=str(error), fix=fix) from error
    return resvg_py.svg_to_bytes(
        svg_string=svg,
        zoom=_ZOOM,
        font_files=fonts,
        sans_serif_family="Fira Sans",
        monospace_family="IBM Plex Mono",
        skip_system_fonts=all(ord(letter) < _LATIN or letter in _BEYOND for letter in svg),
    )


def _file(package: str, name: str) -> str:
    font: Traversable = files(package) / "files" / name
    with as_file(font) as path:
        return str(path)
