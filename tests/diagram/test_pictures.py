from __future__ import annotations

from tests.diagram.pictures import PAGE, pictures


def test_the_pictures_of_the_page_are_what_is_drawn_today() -> None:
    """Mend them with: python -m tests.diagram.pictures."""
    stale = [path.name for path, content in pictures().items() if path.read_text(encoding="utf-8") != content]
    assert stale == []


def test_the_page_shows_each_of_them() -> None:
    """None is left lying about."""
    there = {path.name for path in (PAGE.parent / "pictures").iterdir()}
    assert there == {path.name for path in pictures() if path != PAGE}
    assert all(f"(pictures/{name})" in PAGE.read_text(encoding="utf-8") for name in there)
