"""Files that are removed or replaced while they are open."""

from __future__ import annotations

import shutil
from typing import TYPE_CHECKING

import pytest

from fwsm.errors import StoreDamagedError, StoreError
from fwsm.store import Store
from fwsm.store.place import Place, identity
from tests.store.vanishing import VANISHINGS

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator
    from pathlib import Path


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    """A store in a directory that can be moved."""
    with Store(tmp_path / "state") as store:
        yield store


@pytest.fixture
def place(store: Store) -> Place:
    """That of an open database."""
    return Place(store.path)


def test_where_all_is_as_it_was_there_is_no_trouble(store: Store, place: Place) -> None:
    """Nor is there with another connection that comes and goes."""
    assert place.trouble() is None
    outbox = store.outbox()
    assert outbox.pending() == []
    outbox.close()
    with Store(store.path.parent, read_only=True) as looking:
        assert looking.latest() is None
    assert place.trouble() is None


@pytest.mark.parametrize(("how", "vanish"), VANISHINGS.items(), ids=list(VANISHINGS))
def test_what_is_removed_or_replaced_is_trouble(
    store: Store, place: Place, how: str, vanish: Callable[[Path], None]
) -> None:
    """It says of what, why, and what becomes of it; only for a log alone the database is still good."""
    vanish(store.path)
    trouble = place.trouble()
    assert trouble is not None
    assert str(store.path) in str(trouble)
    assert trouble.why.startswith("something has ")
    assert trouble.fix.startswith("The agent ")
    assert isinstance(trouble, StoreDamagedError) == (how != "log removed")


def test_what_was_gone_before_it_was_looked_at_is_trouble(store: Store) -> None:
    """Between the opening and the look."""
    for path in store.path.parent.glob("fwsm.db*"):
        path.unlink()
    assert isinstance(Place(store.path).trouble(), StoreDamagedError)


def test_where_it_cannot_be_told_there_is_no_trouble(store: Store, place: Place) -> None:
    """The next reading or writing says more; nothing is set aside on a guess."""
    directory = store.path.parent
    directory.rename(directory.with_name("elsewhere"))
    directory.symlink_to(directory)
    with pytest.raises(OSError, match="symbolic links"):
        identity(str(store.path))
    assert place.trouble() is None
    with pytest.raises(StoreError, match="cannot look at the database"):
        Place(store.path)
    directory.unlink()
    shutil.move(directory.with_name("elsewhere"), directory)
    assert place.trouble() is None
