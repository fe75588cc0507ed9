"""A device whose database is damaged, gone, or not to be used comes up, and ends its update truthfully."""

from __future__ import annotations

import hashlib
import os
import sqlite3
from contextlib import closing
from copy import deepcopy
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest

from fwsm.core.policy import NotBefore
from fwsm.core.twin import section
from fwsm.core.update import Probe, State
from fwsm.errors import HealthError, InstallError, StoreError, StoreFullError, StoreLockedError
from fwsm.store import Store
from fwsm.store.prepared import writing
from fwsm.store.tables import UPDATES
from fwsm.testing.fakes import MemoryInstaller
from fwsm.testing.power import CutStore, PowerLossError, PowerSwitch
from tests.device.life import IMAGE, OTHER, STEPS, URI, Life
from tests.store.damage import DAMAGES, left_behind
from tests.store.vanishing import VANISHINGS

if TYPE_CHECKING:
    import threading
    from collections.abc import Callable
    from pathlib import Path

    from fwsm.core.desired import Acknowledgement
    from fwsm.core.moment import Moment
    from fwsm.core.update import Update

DIGEST = hashlib.sha256(IMAGE).hexdigest()
REQUEST = {"fwPackageUri": URI, "fwPackageCheckValue": DIGEST}


class FullStore(Store):
    """A database on a disk that may be full."""

    full = False

    def acknowledge(self, acknowledgement: Acknowledgement, now: Moment) -> None:
        """Keep it, if there is room."""
        if self.full:
            raise StoreFullError("cannot store the acknowledgement")
        super().acknowledge(acknowledgement, now)


class Closed:
    """A policy that never says yes."""

    def verdict(self, _update: Update, _now: Moment) -> NotBefore:
        """Not yet."""
        return NotBefore("window", None, 3600.0)


def _sick(_update: Update) -> None:
    raise HealthError("no network")


def _to(life: Life, state: State) -> None:
    """Bring a device into a state, with all of it told."""
    if state is State.WAITING:
        life.options["policy"] = Closed()
    if state in {State.ROLLING_BACK, State.APPLY_FAILED}:
        life.options["checks"] = [_sick]
    life.restart()
    life.link.start(life.agent.deliver)
    assert life.call(payload=REQUEST)[0] == 200
    if state is State.DOWNLOAD_FAILED:
        life.call("firmwareUpdateCancel")
    elif state in {State.CONFIRMING, State.ROLLING_BACK, State.APPLY_COMPLETE, State.APPLY_FAILED}:
        _reboot(life)
        if state is State.APPLY_FAILED:
            life.step_until(State.ROLLING_BACK)
            _reboot(life)
    life.step_until(state)
    life.report()
    life.options.clear()


def _reboot(life: Life) -> None:
    """Go on until a reboot is ordered, and let it come."""
    before = life.installer.reboots
    for _ in range(STEPS):
        if life.installer.reboots > before:
            break
        life.clock.advance(life.agent.step(life.clock.now()) or 0.0)
    life.report()
    life.reboot()
    life.link.start(life.agent.deliver)


def _step(life: Life) -> float | None:
    """One step; a store that refuses is tried again later, as `run` does."""
    try:
        return life.agent.step(life.clock.now())
    except StoreError:
        return 5.0


def _rest(life: Life) -> Update | None:
    """Live on until nothing is left to do, reboots included; the newest update, all of it told."""
    for _ in range(STEPS):
        reboots = life.installer.reboots
        wait_s = _step(life)
        if life.installer.reboots > reboots:
            life.reboot()
            life.link.start(life.agent.deliver)
        elif wait_s is None and (life.agent.update is None or life.agent.update.state.settled):
            life.report()
            return life.agent.update
        life.clock.advance(wait_s or 0.0)
    raise AssertionError(f"the device does not come to rest: {life.agent.update}")


def _hurt(life: Life, damage: str, *, power: bool = False) -> None:
    """Kill the device, damage what it leaves behind, and start it again."""
    directory = life.directory.with_name("damaged")
    path = left_behind(life.directory, directory)
    life.end()
    DAMAGES[damage](path)
    life.directory = directory
    if power:
        life.clock.reboot(life.board.power_cycle())
    life.start()
    life.link.start(life.agent.deliver)


def _check_truth(life: Life, update: Update) -> None:
    """What is told is what is so."""
    runs = life.board.content.get(life.board.booted) == update.id
    assert update.state.settled
    assert (update.state is State.APPLY_COMPLETE) == runs
    assert life.board.booted == life.board.primary
    shown = {name: value for name, value in section(update).items() if value is not None}
    assert {name: value for name, value in life.link.section.items() if name in shown} == shown


@pytest.mark.parametrize("power", [False, True], ids=["kill", "power"])
@pytest.mark.parametrize("state", State)
@pytest.mark.parametrize("damage", DAMAGES)
def test_a_damaged_database_never_stops_a_device(life: Life, damage: str, state: State, power: bool) -> None:
    """It comes up, ends truthfully, installs nothing twice, and its next start is quiet."""
    _to(life, state)
    _hurt(life, damage, power=power)
    update = _rest(life)
    assert update is not None
    assert update.id == "u1"
    _check_truth(life, update)
    if not damage.startswith("log"):  # commits that are lost without a trace are not told of again
        assert ("error" in life.link.section) == (update.failure is not None)
    assert life.board.installed in ([], ["u1"])

    told = len(life.link.patches)
    life.restart()
    life.link.start(life.agent.deliver)
    assert _rest(life) == update
    assert len(life.link.patches) == told
    assert life.call("firmwareUpdateStatus")[0] == 200


@pytest.mark.parametrize("damage", ["header", "all gone"])
def test_the_same_request_after_a_loss_is_answered_without_installing(life: Life, damage: str) -> None:
    """Its image runs already, and the installer knows."""
    _to(life, State.APPLY_COMPLETE)
    _hurt(life, damage)
    assert life.call(payload=REQUEST)[0] in {200, 503}  # before the twin
    _rest(life)
    assert life.call(payload=REQUEST | {"fwPackageUri": OTHER})[0] == 200
    update = _rest(life)
    assert update is not None
    assert (update.state, update.artifact and update.artifact.sha256) == (State.APPLY_COMPLETE, DIGEST)
    assert life.board.installed == ["u1"]
    assert life.download.fetches == [URI]


def test_until_the_twin_has_come_a_lost_record_takes_no_command(life: Life) -> None:
    """Only its status is told; then the twin says that there is nothing, and it is as new."""
    _to(life, State.APPLY_COMPLETE)
    life.link.twin.clear()
    _hurt(life, "header")
    life.agent._inbox.get()  # the twin is late
    for _ in range(2):
        status, body = life.call(payload=REQUEST)
        assert (status, body["code"]) == (503, "storeRecovering")
        assert life.call("firmwareUpdateCancel")[0] == 503
        assert life.call("firmwareUpdateStatus") == (200, {"message": "this device has had no update yet"})
        life.agent.step(life.clock.now())
    life.link.connect()
    assert _rest(life) is None
    assert life.link.section["incident"]["code"] == "storeDamaged"
    assert life.call(payload=REQUEST)[0] == 200


def test_a_new_device_takes_a_request_before_the_twin(life: Life) -> None:
    """It has lost nothing that it knows of."""
    assert life.call(payload=REQUEST)[0] == 200


@pytest.mark.parametrize("state", [State.WAITING, State.DOWNLOADING, State.DOWNLOAD_COMPLETE])
def test_what_the_twin_does_not_know_is_not_guessed(life: Life, state: State) -> None:
    """Without the digest and the query the update ends, and says what to do; sent again, what was loaded is kept."""
    _to(life, state)
    _hurt(life, "all gone")
    update = _rest(life)
    assert update is not None
    assert update.state is State.DOWNLOAD_FAILED
    assert life.link.section["error"]["code"] == "storeLost"
    assert "Send the request again" in life.link.section["error"]["message"]
    assert life.link.section["incident"]["code"] == "storeLost"
    assert life.link.section["resumed"] == 1
    assert life.call(payload=REQUEST)[0] == 200
    again = _rest(life)
    assert again is not None
    assert again.state is State.APPLY_COMPLETE


@pytest.mark.parametrize("state", [State.WAITING, State.DOWNLOADING, State.DOWNLOAD_COMPLETE])
def test_a_request_that_stands_on_the_twin_is_gone_on_with(life: Life, state: State) -> None:
    """The desired property holds all of it, query and digest."""
    signed = {"fwPackageUri": f"{URI}?sig=1", "fwPackageCheckValue": DIGEST}
    life.download.served[f"{URI}?sig=1"] = IMAGE
    life.options["policy"] = Closed() if state is State.WAITING else None
    life.restart()
    life.link.start(life.agent.deliver)
    life.link.desire({"iothubDM": {"firmwareUpdate": signed}})
    life.step_until(state)
    life.report()
    life.options.clear()
    _hurt(life, "all gone")
    update = _rest(life)
    assert update is not None
    assert (update.id, update.state, update.request.uri) == ("u1", State.APPLY_COMPLETE, f"{URI}?sig=1")
    assert set(life.download.fetches) == {f"{URI}?sig=1"}


def test_what_the_slots_say_outranks_a_twin_that_is_behind(life: Life) -> None:
    """The hub was away while the update was applied."""
    life.link.start(life.agent.deliver)
    life.call(payload=REQUEST)
    life.report()
    twin = dict(life.link.twin)
    life.step_until(State.REBOOTING)
    life.reboot()
    life.step_until(State.APPLY_COMPLETE)
    life.link.twin = twin
    _hurt(life, "all gone")
    update = _rest(life)
    assert update is not None
    assert update.state is State.APPLY_COMPLETE
    assert life.board.installed == ["u1"]


def test_an_installer_that_cannot_tell_ends_the_update(life: Life) -> None:
    """What cannot be told is not relied on."""
    _to(life, State.INSTALLING)

    def refuse(*_: object) -> Any:
        raise InstallError("the slots are not there")

    life.installer.image_of = refuse  # type: ignore[method-assign, assignment]
    life.installer.runs_already = refuse  # type: ignore[method-assign, assignment]
    _hurt(life, "all gone")
    update = _rest(life)
    assert update is not None
    assert (update.state, update.failure and update.failure.code) == (State.APPLY_FAILED, "storeLost")


# -- the last commits --------------------------------------------------------------------------------------------------


@pytest.mark.parametrize("state", [State.REBOOTING, State.CONFIRMING])
def test_what_is_installed_is_not_installed_again_when_the_last_commits_are_lost(life: Life, state: State) -> None:
    """The record is back in waiting; what the board falls back to must not be written over, by no installer."""

    class Heedless(MemoryInstaller):
        def install(self, update: Update, artifact: Path, stop: threading.Event) -> bool:
            assert self.probe(update) is not Probe.DONE
            return super().install(update, artifact, stop)

    life.installer = Heedless(life.board)
    _to(life, State.WAITING)
    earlier = left_behind(life.directory, life.directory.with_name("earlier")).parent
    life.restart()
    life.step_until(State.REBOOTING)
    if state is State.CONFIRMING:
        life.reboot()
        life.step_until(state)
    life.end()
    life.directory = earlier
    life.start()
    life.link.start(life.agent.deliver)
    update = _rest(life)
    assert update is not None
    assert update.state is State.APPLY_COMPLETE
    assert life.board.installed == ["u1"]
    _check_truth(life, update)


# -- one value of a row ------------------------------------------------------------------------------------------------

WAITING_TO_RETRY = """UPDATE updates SET reason = 'retry',
 due_boot_id = boot_id, due_boottime_s = ?, due_wall_at = '2020-01-01T00:00:00+00:00', due_span_s = 60.0"""


@pytest.mark.parametrize("value", [None, "2020-01-01T00:00:00"])
def test_whatever_a_column_holds_the_device_comes_to_rest(life: Life, value: object) -> None:
    """A value that can be loaded must also be one that can be lived with."""
    _to(life, State.DOWNLOADING)
    life.end()
    with closing(sqlite3.connect(life.directory / "fwsm.db")) as whole, whole:
        whole.execute(WAITING_TO_RETRY, (life.clock.now().boottime_s + 60.0,))
    board, directory = life.board, life.directory
    for column in UPDATES.columns:
        fits = column.nullable if value is None else isinstance(value, str) == (column.type.python_type is str)
        if column.primary_key or not fits:
            continue  # SQLite refuses it, or it is of another type
        life.directory = left_behind(directory, directory.with_name(f"hurt-{column.name}")).parent
        with closing(sqlite3.connect(life.directory / "fwsm.db")) as other, other:
            other.execute(f"UPDATE updates SET {column.name} = ?", (value,))
        life.board = deepcopy(board)
        life.installer = MemoryInstaller(life.board)
        life.start()
        life.link.start(life.agent.deliver)
        update = _rest(life)
        life.end()
        assert update is None or update.state.settled, column.name


# -- in the middle of life ---------------------------------------------------------------------------------------------


def test_damage_in_the_middle_of_life_costs_nothing(life: Life) -> None:
    """The agent knows its update, and writes it into the new database."""
    _to(life, State.DOWNLOADING)
    assert life.store is not None
    with sqlite3.connect(life.store.path) as other:
        other.execute("DROP TABLE history")
    other.close()
    update = _rest(life)
    assert update is not None
    assert (update.state, update.id) == (State.APPLY_COMPLETE, "u1")
    assert life.board.installed == ["u1"]
    _check_truth(life, update)
    assert life.link.section["incident"]["code"] == "storeDamaged"
    assert [incident.code for incident in life.store.incidents()] == ["storeDamaged"]
    assert life.store.history()[0].trigger == "restored"


def test_a_log_that_is_cut_off_in_the_middle_of_life_costs_nothing(life: Life) -> None:
    """SQLite has its index in memory, and finds nothing where that points to."""
    _to(life, State.DOWNLOADING)
    assert life.store is not None
    os.truncate(life.store.path.with_name("fwsm.db-wal"), 0)
    update = _rest(life)
    assert update is not None
    assert (update.state, update.id) == (State.APPLY_COMPLETE, "u1")
    assert life.board.installed == ["u1"]
    _check_truth(life, update)
    assert life.link.section["incident"]["code"] == "storeDamaged"


@pytest.mark.parametrize("told", [True, False], ids=["told", "untold"])
@pytest.mark.parametrize("state", [State.DOWNLOADING, State.REBOOTING, State.ROLLING_BACK, State.APPLY_COMPLETE])
@pytest.mark.parametrize("how", [how for how in VANISHINGS if how != "file for directory"])
def test_a_database_that_vanishes_in_the_middle_of_life_costs_nothing(
    life: Life, how: str, state: State, told: bool
) -> None:
    """The agent notices before its next step, keeps its update in a new one, and finds it there after a kill."""
    _to(life, state)
    if not told:
        life.link.twin.clear()
    assert life.store is not None
    VANISHINGS[how](life.store.path)
    life.agent.step(life.clock.now())
    assert (life.store.trouble, life.store.loss) == (None, None)
    life.restart()
    assert life.agent.update is not None
    assert (life.agent.update.id, life.agent.update.state) == ("u1", state)
    life.link.start(life.agent.deliver)
    update = _rest(life)
    assert update is not None
    _check_truth(life, update)
    assert life.board.installed == ["u1"]
    found = {"log removed": [], "log left": ["storeDamaged"], "replaced": ["storeDamaged"]}.get(how, ["storeLost"])
    assert [incident.code for incident in life.store.incidents()] == found
    assert [life.link.section["incident"]["code"]] if found else found == []
    assert len(life.store.history()) > 5 or how != "log removed"


def test_a_device_that_never_had_an_update_takes_none_from_what_is_put_in_its_place(life: Life) -> None:
    """A database of another device, for one: what it tells never happened here."""
    other = Life(life.directory.with_name("other"))
    other.start()
    _to(other, State.DOWNLOADING)
    other.end()
    assert life.store is not None
    VANISHINGS["removed"](life.store.path)
    (other.directory / "fwsm.db").rename(life.store.path)
    life.agent.step(life.clock.now())
    assert (life.agent.update, life.store.latest(), life.store.loss) == (None, None, None)
    assert life.call(payload=REQUEST)[0] == 503  # the twin may know of one
    life.link.start(life.agent.deliver)
    life.agent.step(life.clock.now())
    assert life.call(payload=REQUEST)[0] == 200
    assert len(list(life.directory.glob("fwsm.db.damaged-1-*Z"))) == 1


def test_damage_that_only_the_reporter_meets(life: Life) -> None:
    """A report that is none is no reason to be silent for ever; an idle agent sees to it as well."""
    _to(life, State.APPLY_COMPLETE)
    assert life.store is not None
    with sqlite3.connect(life.store.path) as other:
        other.execute("UPDATE facts SET value = '0' WHERE name = 'reported'")
        other.execute("UPDATE history SET report = '{'")
    other.close()
    life.link.twin.clear()
    with pytest.raises(Exception, match="a report in the database means nothing"):
        life.reporter.step()
    assert life.call(payload=REQUEST)[0] == 503
    update = _rest(life)
    assert update is not None
    assert update.state is State.APPLY_COMPLETE
    assert life.link.section["status"] == "applyComplete"


def test_what_was_acknowledged_for_the_old_database_is_not_for_the_new_one(life: Life) -> None:
    """The numbers begin anew."""
    _to(life, State.APPLY_COMPLETE)
    assert life.store is not None
    life.outbox.pending()
    with pytest.raises(StoreError), writing(life.store._connection, "cannot look") as driver:
        driver.execute("SELECT * FROM nowhere")
    life.agent.step(life.clock.now())
    life.outbox.acknowledge(1000)
    assert [report.number for report in life.outbox.pending()] == [1]


# -- safe mode ---------------------------------------------------------------------------------------------------------


def _locked(path: Path) -> sqlite3.Connection:
    """A foreign process in a transaction, as a shell on the device may be."""
    other = sqlite3.connect(path, isolation_level=None, timeout=0)
    other.execute("PRAGMA locking_mode=EXCLUSIVE")
    other.execute("BEGIN EXCLUSIVE")
    other.execute("UPDATE updates SET resumed = resumed")
    return other


def test_a_device_comes_up_beside_somebody_who_holds_the_database(life: Life) -> None:
    """It says so, shows what can be read, and goes on once it is let."""
    _to(life, State.DOWNLOADING)
    life.end()
    other = _locked(life.directory / "fwsm.db")
    life.start()
    life.link.start(life.agent.deliver)
    status, body = life.call(payload=REQUEST)
    assert status == 503
    assert "locked" in body["reason"]
    assert life.call("firmwareUpdateStatus")[1]["status"] == "downloading"
    waits = {life.agent.step(life.clock.now()) for _ in range(3)}
    assert waits <= {0.0, 30.0}
    other.close()
    life.clock.advance(30)
    update = _rest(life)
    assert update is not None
    assert (update.id, update.state) == ("u1", State.APPLY_COMPLETE)
    assert update.resumed >= 1


def test_a_second_agent_still_gives_way(life: Life) -> None:
    """One process at a time, whatever the state of the database."""
    with pytest.raises(StoreLockedError):
        Store(life.directory)


@pytest.mark.parametrize("make", [lambda path: path.touch()], ids=["file"])
def test_a_state_directory_that_is_none_is_a_mistake(tmp_path: Path, make: Callable[[Path], None]) -> None:
    """Time does not help against it."""
    make(tmp_path / "file")
    with pytest.raises(Exception, match="cannot make the state directory"):
        Store(tmp_path / "file")


# -- the power goes while it recovers ----------------------------------------------------------------------------------


def _recovered(life: Life, power: PowerSwitch) -> bool:
    """One life behind a switch; False if the power went."""
    life.store_class = partial(CutStore, power=power)  # type: ignore[assignment]
    try:
        life.start()
        life.link.start(life.agent.deliver)
        _rest(life)
    except PowerLossError:
        life.end()
        life.clock.reboot(life.board.power_cycle())
        return False
    return True


@pytest.mark.crash
@pytest.mark.parametrize("damage", ["one page", "header", "gone", "state"])
@pytest.mark.parametrize("state", [State.DOWNLOADING, State.REBOOTING, State.APPLY_COMPLETE])
def test_a_cut_at_any_moment_of_recovering(tmp_path: Path, state: State, damage: str) -> None:
    """A second loss of power changes nothing: the end is truthful, told, and nothing is installed twice."""
    for moment in range(200):
        life = Life(tmp_path / str(moment) / "state")
        life.directory.parent.mkdir()
        life.start()
        _to(life, state)
        path = left_behind(life.directory, life.directory.with_name("damaged"))
        life.end()
        DAMAGES[damage](path)
        life.directory = path.parent
        power = PowerSwitch(moment)
        whole = _recovered(life, power)
        if not whole:
            assert _recovered(life, PowerSwitch())
        update = life.agent.update
        assert update is not None, moment
        _check_truth(life, update)
        assert life.board.installed in ([], ["u1"])
        assert len([name for name in path.parent.iterdir() if "damaged" in name.name]) <= 4
        life.end()
        if whole:
            assert moment > 4
            return
    raise AssertionError("there is no end of moments")


def test_what_the_hub_has_lost_is_said_again_when_the_disk_was_full_at_the_reading(life: Life) -> None:
    """What is desired waits until it can be stored; the twin was read all the same."""
    life.store_class = FullStore
    _to(life, State.WAITING)
    life.report()
    assert isinstance(life.store, FullStore)
    life.store.full = True
    life.link.twin.clear()
    life.link.desire({"iothubDM": {"firmwareUpdate": {"fwPackageUri": "no URI"}}})
    with pytest.raises(StoreFullError):
        life.agent.step(life.clock.now())
    life.store.full = False
    life.agent.step(life.clock.now())
    life.report()
    assert (life.link.section["status"], life.link.section["desired"]["ac"]) == ("waiting", 400)
