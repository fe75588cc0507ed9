"""An agent's store comes up whatever has become of its file."""

from __future__ import annotations

import sqlite3
from pathlib import Path
from typing import TYPE_CHECKING

import pytest

from fwsm.core.update import State
from fwsm.errors import StoreError, StoreFullError, StoreLockedError
from fwsm.store import Store
from fwsm.store.opening import make_directory, may_pass
from tests.store.damage import DAMAGES
from tests.store.entries import NOW, UPDATE

if TYPE_CHECKING:
    from collections.abc import Iterator


@pytest.fixture
def lost(path: Path) -> Iterator[Store]:
    """The store after its database was lost for good."""
    DAMAGES["header"](path)
    with Store(path.parent) as store:
        yield store


@pytest.mark.parametrize("damage", DAMAGES)
def test_it_opens_and_can_be_used(path: Path, damage: str) -> None:
    """What was there is there again, or is known to be lost; and the second start finds nothing wrong."""
    DAMAGES[damage](path)
    with Store(path.parent) as store:
        assert store.trouble is None
        if store.loss is not None:
            assert store.latest() is None
            store.settle_loss(NOW, store.loss.update, "gone")
        assert store.latest() in (None, UPDATE)
    with Store(path.parent) as store:
        assert (store.trouble, store.loss) == (None, None)


def test_a_loss_is_told_until_it_is_settled(lost: Store) -> None:
    """A crash in between forgets nothing."""
    loss = lost.loss
    assert loss is not None
    lost.close()
    with Store(lost.path.parent) as again:
        assert again.loss == loss
        assert not again.recovering()
        again.settle_loss(NOW, None, "gone")
        assert again.recovering()
        assert [incident.code for incident in again.incidents()] == ["storeDamaged"]
        assert again.outbox().pending()[0].patch["iothubDM"]["firmwareUpdate"]["incident"]["code"] == "storeDamaged"
        assert again.history() == []
        again.accept(UPDATE, NOW)
        assert not again.recovering()


def test_nothing_is_taken_from_a_database_that_was_set_aside_long_ago(lost: Store) -> None:
    """The update in it has gone on, and others have come; if all of that is gone, the twin knows more."""
    assert lost.loss is not None
    lost.settle_loss(NOW, UPDATE, "gone")
    lost.close()
    for part in ("", "-wal", "-shm"):
        lost.path.with_name(f"fwsm.db{part}").unlink(missing_ok=True)
    with Store(lost.path.parent) as again:
        assert (again.loss, again.latest()) == (None, None)


def test_what_was_settled_by_a_program_without_marks_is_marked_at_the_next_start(lost: Store) -> None:
    """Or by one that was killed just before."""
    lost.settle_loss(NOW, UPDATE, "gone")
    lost.close()
    for mark in lost.path.parent.glob("*.settled"):
        mark.unlink()
    Store(lost.path.parent).close()
    assert len(list(lost.path.parent.glob("fwsm.db.damaged-1-*Z.settled"))) == 1


def test_a_database_that_was_put_back_is_believed(lost: Store) -> None:
    """What an operator copies there has not lost the update that it holds."""
    lost.accept(UPDATE, NOW)
    lost.close()
    with Store(lost.path.parent) as again:
        assert again.loss is None
        assert again.latest() == UPDATE


@pytest.mark.parametrize(
    ("error", "passes"),
    [
        (StoreLockedError("another agent"), False),
        (StoreFullError("full"), True),
        (StoreError("busy"), True),
    ],
)
def test_only_another_agent_or_nonsense_ends_the_program(error: StoreError, passes: bool) -> None:
    """Everything else may be otherwise one day."""
    assert may_pass(error) is passes


@pytest.mark.parametrize(("place", "passes"), [("/proc/fwsm/state", False), ("/dev/null", False)])
def test_a_directory_that_cannot_be_is_nonsense(place: str, passes: bool) -> None:
    """Waiting does not help."""
    with pytest.raises(StoreError, match=f"cannot make the state directory {place}") as caught:
        make_directory(Path(place))
    assert may_pass(caught.value) is passes


def test_a_file_system_that_is_read_only_is_waited_for() -> None:
    """It may be mounted for writing one day."""
    with Path("/proc/mounts").open(encoding="utf-8") as mounts:
        places = [line.split()[1] for line in mounts if line.split()[3].split(",")[0] == "ro"]
    places = [place for place in places if Path(place).is_dir()]
    if not places:
        pytest.skip("nothing is mounted read-only here")
    with Store(Path(places[0])) as store:
        assert "is mounted read-only" in str(store.trouble)
        assert store.glimpse() is None


def test_an_update_that_the_database_does_not_know_is_restored(tmp_path: Path) -> None:
    """With the incident that made it necessary, and all of it in one report."""
    with Store(tmp_path) as store:
        store.restore(UPDATE, NOW, code="storeLost", message="gone")
        assert store.latest() == UPDATE
        assert [(row.trigger, row.source, row.state) for row in store.history()] == [("restored", None, State.WAITING)]
        assert [(found.code, found.update_id) for found in store.incidents()] == [("storeLost", "u1")]
        (report,) = store.outbox().pending()
        told = report.patch["iothubDM"]["firmwareUpdate"]
        assert (told["updateId"], told["status"], told["incident"]["code"]) == ("u1", "waiting", "storeLost")


def test_a_column_whose_name_is_no_text_is_damage(tmp_path: Path) -> None:
    """The schema is text that can be damaged as well; the device comes up all the same."""
    Store(tmp_path).close()
    path = tmp_path / "fwsm.db"
    connection = sqlite3.connect(path)
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)")
    connection.close()
    path.write_bytes(path.read_bytes().replace(b"boot_id", b"boot_\xff\xfe"))
    with Store(tmp_path) as store:
        assert store.trouble is None
        assert store.loss is not None
