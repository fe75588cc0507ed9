"""Commands carried out by the real agent on the real store: by methods, and by the desired property."""

from __future__ import annotations

import copy
import json
from functools import partial
from typing import TYPE_CHECKING, Any

import pytest
from hypothesis import given

from fwsm.core.commands import Answer, Command, Outcome, decide
from fwsm.core.lifecycle import Extension, Step
from fwsm.core.policy import Delay
from fwsm.core.request import METHOD
from fwsm.core.update import State, Update
from fwsm.device.commands import BUILT_IN
from fwsm.device.ports import MethodCall, Twin
from fwsm.errors import ArtifactMissingError, HealthError, InstallError, RequestError
from fwsm.testing.power import CutStore, PowerLossError, PowerSwitch
from tests.core.test_request import BAD, oddities, payloads
from tests.device.life import IMAGE, OTHER, STEPS, URI, HoldingRunner, Life

if TYPE_CHECKING:
    from collections.abc import Iterator
    from pathlib import Path

REQUEST = {"fwPackageUri": URI}
ANOTHER = {"fwPackageUri": OTHER}


@pytest.fixture
def life(tmp_path: Path) -> Iterator[Life]:
    """A device that is connected, and whose jobs can be held."""
    life = Life(tmp_path / "state")
    life.options = {"runner": HoldingRunner()}
    life.start()
    connect(life)
    yield life
    life.end()


def connect(life: Life) -> None:
    """The hub is there, and the twin has been read."""
    life.link.start(life.agent.deliver)
    settle(life)


def settle(life: Life) -> None:
    """Step until all that has come from the hub has been taken."""
    while not life.agent._inbox.empty():
        life.agent.step(life.clock.now())


def desire(life: Life, content: object) -> None:
    """Change the desired property; None removes it."""
    life.link.desire(wrapped_value(content))
    settle(life)


def wrapped_value(content: object) -> dict[str, Any]:
    """A desired property with any value."""
    return {"iothubDM": {"firmwareUpdate": content}}


def told(life: Life) -> dict[str, Any] | None:
    """How the twin acknowledges the desired property."""
    life.report()
    found: dict[str, Any] | None = life.link.section.get("desired")
    return found


def ids(life: Life) -> list[str]:
    """The updates there were, each once for each time that it was started."""
    assert life.store is not None
    return [row.update_id for row in life.store.history() if row.trigger in {"accepted", "retry_requested"}]


def unhealthy(_update: Update) -> None:
    """A health check that never holds."""
    raise HealthError("no heartbeat")


def reach(life: Life, state: State | None, **options: Any) -> None:
    """Bring the device into a state, with its work under way but held."""
    runner = HoldingRunner()
    life.options = {"runner": runner, "checks": [unhealthy] if state is State.CONFIRMING else []} | options
    if state is State.WAITING:
        life.options["policy"] = Delay(1e6)
    if state is State.DOWNLOAD_FAILED:
        life.download.failures = [ArtifactMissingError("gone")]
    if state in {State.ROLLING_BACK, State.APPLY_FAILED}:
        life.installer.failures = [InstallError("the slot is too small")]
    life.restart()
    connect(life)
    if state is None:
        return
    desire(life, REQUEST)
    if state in {State.CONFIRMING, State.APPLY_COMPLETE}:
        life.step_until(State.REBOOTING)
        life.reboot()
        connect(life)
    life.step_until(state)
    runner.holds = True
    life.agent.step(life.clock.now())


def send(life: Life, command: Command) -> tuple[int, dict[str, Any]] | None:
    """Send a command; None for one that nobody answers."""
    match command:
        case Command.NEW_UPDATE | Command.SAME_UPDATE:
            return life.call(payload=REQUEST)
        case Command.OTHER_UPDATE:
            return life.call(payload=ANOTHER)
        case Command.DESIRED_REMOVED:
            desire(life, None)
            return None
        case _:
            return life.call(f"firmwareUpdate{command.value.capitalize()}")


CELLS = [(state, command) for state in (None, *State) for command in Command]


def cell(state: State | None, command: Command) -> Answer:
    """What the table says."""
    update = Update(id="", request=None, state=state, boot_id="") if state else None  # type: ignore[arg-type]
    return decide(update, command)


@pytest.mark.parametrize(("state", "command"), CELLS, ids=lambda value: str(value or "no update"))
def test_the_device_does_what_the_table_says(life: Life, state: State | None, command: Command) -> None:
    """Every cell, through a real method or twin, with the state's own work under way."""
    expected = cell(state, command)
    if expected.outcome is Outcome.IMPOSSIBLE:
        return
    reach(life, state)
    before = life.agent.update
    assert (before.state if before else None) is state
    runner = life.options["runner"]
    answer = send(life, command)
    if answer is not None:
        assert answer[0] == expected.status
    if expected.outcome is Outcome.REFUSED:
        assert answer is not None
        assert (answer[1]["reason"], answer[1]["fix"]) == (expected.why, expected.fix)
        assert all(answer[1][name] for name in ("message", "code", "reason", "fix"))
    after = life.agent.update
    match expected.outcome:
        case Outcome.ACCEPTED | Outcome.SUPERSEDED:
            assert answer is not None
            assert after is not None
            assert answer[1] == {"message": "FirmwareUpdate started", "updateId": after.id}
            assert after.id != (before.id if before else None)
            assert after.state is State.WAITING
        case Outcome.CANCELLED:
            assert after is not None
            assert after.failure is not None
            assert (after.state, after.failure.code) == (State.DOWNLOAD_FAILED, "cancelled")
        case Outcome.WAITING_AGAIN:
            assert before is not None
            assert after is not None
            assert (after.id, after.state) == (before.id, State.WAITING)
        case _:
            assert after is before
    if expected.outcome is Outcome.SAME:
        assert answer is not None
        assert before is not None
        assert answer[1]["updateId"] == before.id
    assert all(job.stop.is_set() == (after is not before) for job in runner.jobs)


@pytest.mark.parametrize("command", [Command.OTHER_UPDATE, Command.CANCEL, Command.RETRY, Command.DESIRED_REMOVED])
@pytest.mark.parametrize("state", [State.INSTALLING, State.REBOOTING, State.CONFIRMING, State.ROLLING_BACK])
def test_from_applying_on_nothing_is_interrupted(life: Life, state: State, command: Command) -> None:
    """In each child of applying, with its job in the middle: the job is not told to stop, and its result counts."""
    reach(life, state)
    runner = life.options["runner"]
    (job,) = runner.jobs
    send(life, command)
    assert not job.stop.is_set()
    runner.holds = False
    if state is State.CONFIRMING:
        job.run()
        life.agent.step(life.clock.now())
        assert life.agent.update is not None
        assert life.agent.update.state is State.CONFIRMING
    else:
        job.run()
        end = {State.INSTALLING: State.REBOOTING, State.ROLLING_BACK: State.APPLY_FAILED}.get(state, State.ROLLING_BACK)
        life.step_until(end)
    assert ids(life) == ["u1"]
    assert (life.installer.reboots > 0) == (state is State.REBOOTING)


@pytest.mark.parametrize("command", [each for each in Command if each is not Command.NEW_UPDATE])
def test_in_a_step_of_the_programs_own_it_is_as_in_all_of_applying(life: Life, command: Command) -> None:
    """The step is behind the point of no return, too: its work is not told to stop, and its update goes on."""
    step = Step("backingUp", State.INSTALLING, lambda _update, _stop: None)
    reach(life, step.state, extension=Extension((step,)))
    before, runner = life.agent.update, life.options["runner"]
    answer = send(life, command)
    expected = cell(State.INSTALLING, command)
    if answer is not None:
        assert answer[0] == expected.status
    assert life.agent.update is before
    (job,) = runner.jobs
    assert not job.stop.is_set()
    runner.holds = False
    job.run()
    assert life.step_until(State.REBOOTING).id == "u1"


def test_a_command_before_the_commit_of_applying_wins(life: Life) -> None:
    """The work that leads to applying has ended well, but its result has not been taken yet."""
    reach(life, State.DOWNLOAD_COMPLETE)
    (job,) = life.options["runner"].jobs
    job.run()
    assert life.call("firmwareUpdateCancel")[0] == 200
    for _ in range(5):
        life.agent.step(life.clock.now())
    assert life.agent.update is not None
    assert life.agent.update.state is State.DOWNLOAD_FAILED
    assert life.board.content == {}


def test_what_is_installed_is_not_installed_again_by_the_same_request(life: Life) -> None:
    """The answer says that it is done; another version or digest is another request."""
    reach(life, State.APPLY_COMPLETE)
    assert life.call(payload=REQUEST) == (200, {"message": "FirmwareUpdate applyComplete", "updateId": "u1"})
    assert life.call(payload=REQUEST | {"fwVersion": "once more"})[1]["updateId"] == "u2"


# -- bad input ---------------------------------------------------------------------------------------------------------


def _is_json(value: object) -> bool:
    """Whether a hub could have it on a twin."""
    try:
        return value is not None and json.loads(json.dumps(value)) == value
    except (TypeError, ValueError, RecursionError):
        return False


@pytest.mark.parametrize(("payload", "field"), [bad[:2] for bad in BAD], ids=lambda value: repr(value)[:60])
def test_a_malformed_request_is_answered_400_with_field_reason_and_fix(life: Life, payload: Any, field: str) -> None:
    """It changes nothing, and the sender is told what to mend."""
    status, body = life.call(payload=payload)
    assert status == 400
    assert body["field"] == field
    assert all(body[name] for name in ("message", "code", "reason", "fix"))
    assert life.agent.update is None


@pytest.mark.parametrize(
    "payload",
    [bad[0] for bad in BAD if isinstance(bad[0], str) or _is_json(bad[0])],
    ids=lambda value: repr(value)[:60],
)
def test_a_malformed_desired_property_is_acknowledged_with_400(life: Life, payload: Any) -> None:
    """The twin says what is wrong with it, and the status is not touched."""
    life.link.desired = wrapped_value(payload) | {"$version": 7}
    connect(life)
    acknowledged = told(life)
    assert acknowledged is not None
    assert (acknowledged["ac"], acknowledged["av"]) == (400, 7)
    assert acknowledged["ad"]
    assert "status" not in life.link.section
    assert life.agent.update is None


def test_a_refusal_says_in_words_what_is_refused_and_why(tmp_path: Path) -> None:
    """On the wire, for an operator who has never seen the table of commands."""
    life = Life(tmp_path / "state")
    life.start()
    status, body = life.call(f"{METHOD}Retry", None)
    assert status == 409
    assert body["message"].startswith("a retry is refused, because this device has had no update: there is no update. ")
    assert (body["reason"], body["fix"]) == ("there is no update", "Send firmwareUpdate first")
    life.end()


def test_whatever_is_sent_is_answered(tmp_path: Path) -> None:
    """Any JSON to any method, as any desired property: 200, 400 or 409, and no exception."""
    life = Life(tmp_path / "state")
    life.options = {"runner": HoldingRunner()}
    life.start()
    connect(life)
    seen: set[int] = set()

    @given(payloads)
    def check(payload: Any) -> None:
        for name, sent in [(name, payload) for name in sorted(BUILT_IN)] + [(f"{METHOD}Cancel", None)]:
            status, body = life.call(name, sent)
            seen.add(status)
            assert status in {200, 400, 409}
            assert body["message"]
        life.link.desired = wrapped_value(payload) | {"$version": life.link.desired["$version"] + 1}
        life.link.connect()
        settle(life)
        acknowledged = told(life)
        assert (
            acknowledged is None if payload is None else acknowledged is not None and acknowledged["ac"] in {200, 400}
        )

    check()
    life.end()
    assert seen == {200, 400, 409}


@pytest.mark.parametrize("command", [Command.CANCEL, Command.RETRY, Command.STATUS])
@pytest.mark.parametrize("state", [State.DOWNLOADING, State.DOWNLOAD_FAILED])
def test_a_command_with_a_payload_is_refused(life: Life, state: State, command: Command) -> None:
    """Whoever wants to cancel one update must not end another one by it."""
    reach(life, state)
    before = life.agent.update
    status, body = life.call(f"firmwareUpdate{command.value.capitalize()}", {"updateId": "another"})
    assert (status, body["field"]) == (400, "updateId")
    assert all(body[name] for name in ("message", "code", "reason", "fix"))
    assert life.agent.update is before
    assert all(not job.stop.is_set() for job in life.options["runner"].jobs)


def test_whatever_a_program_or_its_link_brings_ends_nothing(tmp_path: Path) -> None:
    """What no JSON parser yields is an error for whoever sent it; the agent works on, and nothing is stored."""
    life = Life(tmp_path / "state")
    life.start()
    connect(life)

    @given(oddities)
    def check(payload: Any) -> None:
        for name in sorted(BUILT_IN):
            with pytest.raises(RequestError):
                life.agent.order(name, payload)
        desired = wrapped_value(payload) | {"$version": life.link.desired["$version"] + 1}
        life.agent.deliver(Twin(desired, life.link.twin))
        settle(life)
        told(life)

    check()
    assert life.link.section["desired"]["ac"] == 400
    assert life.agent.update is None
    life.end()


# -- the desired property ----------------------------------------------------------------------------------------------


def test_the_desired_property_is_acted_on_when_it_is_delivered(life: Life) -> None:
    """It starts an update, and the twin says which."""
    desire(life, REQUEST | {"fwVersion": "2"})
    assert told(life) == {"ac": 200, "av": 2, "ad": "update u1 was started"}
    assert life.link.section["fwVersion"] == "2"
    assert life.step_until(State.DOWNLOAD_COMPLETE).id == "u1"


@pytest.mark.parametrize("state", [*State])
def test_what_is_delivered_again_is_done_once(life: Life, state: State) -> None:
    """After each connect, each change of something else, and each restart, in every state: nothing happens."""
    reach(life, state)
    told(life)
    patches = len(life.link.patches)
    connect(life)
    life.link.desire({"somethingElse": 1})
    settle(life)
    assert life.agent.update is not None
    assert life.agent.update.state is state
    life.restart()
    connect(life)
    assert ids(life) == ["u1"]
    life.report()
    assert not [patch for patch in life.link.patches[patches:] if "desired" in patch["iothubDM"]["firmwareUpdate"]]


@pytest.mark.parametrize("state", [State.DOWNLOAD_FAILED, State.APPLY_FAILED, State.APPLY_COMPLETE])
def test_a_settled_update_is_not_begun_again_by_a_restart(life: Life, state: State) -> None:
    """However often the twin is delivered afterwards."""
    reach(life, state)
    for _ in range(3):
        life.restart()
        connect(life)
        for _ in range(5):
            life.agent.step(life.clock.now())
    assert ids(life) == ["u1"]


def test_changes_while_offline_count_by_the_last_of_them(life: Life) -> None:
    """The device sees the twin as it is then."""
    life.link.stop()
    for version in ("1", "2", "3"):
        life.link.desire(wrapped_value(ANOTHER | {"fwVersion": version}))
    connect(life)
    assert life.agent.update is not None
    assert life.agent.update.request.version == "3"
    assert ids(life) == ["u1"]


def test_a_change_takes_the_place_of_what_is_under_way(life: Life) -> None:
    """As by a method."""
    reach(life, State.DOWNLOADING)
    (job,) = life.options["runner"].jobs
    desire(life, ANOTHER)
    assert job.stop.is_set()
    assert ids(life) == ["u1", "u2"]
    assert told(life) == {"ac": 200, "av": 3, "ad": "update u2 was started"}


def test_a_removal_cancels_and_a_new_wish_is_a_new_update(life: Life) -> None:
    """What is wished for again after it was taken back is wished for."""
    reach(life, State.DOWNLOADING)
    desire(life, None)
    assert told(life) is None
    assert life.link.section["error"]["code"] == "cancelled"
    desire(life, REQUEST)
    assert ids(life) == ["u1", "u2"]
    assert told(life) == {"ac": 200, "av": 4, "ad": "update u2 was started"}


def test_a_removal_that_comes_too_late_is_only_noted(life: Life) -> None:
    """The update goes on, and the same wish again is that update."""
    reach(life, State.REBOOTING)
    desire(life, None)
    assert told(life) is None
    desire(life, REQUEST)
    assert told(life) == {"ac": 200, "av": 4, "ad": "this is update u1, applying"}
    assert ids(life) == ["u1"]


def test_a_malformed_change_leaves_the_update_alone(life: Life) -> None:
    """It is told once, not after each connect."""
    reach(life, State.DOWNLOADING)
    desire(life, REQUEST | {"fwPackageUrl": "x"})
    acknowledged = told(life)
    assert acknowledged is not None
    assert (acknowledged["ac"], acknowledged["av"]) == (400, 3)
    assert "'fwPackageUrl' is not known" in acknowledged["ad"]
    assert life.link.section["status"] == "downloading"
    patches = len(life.link.patches)
    connect(life)
    life.report()
    assert len(life.link.patches) == patches


def test_what_came_too_late_is_acted_on_when_the_update_has_settled(life: Life) -> None:
    """It is still wanted."""
    reach(life, State.ROLLING_BACK)
    desire(life, ANOTHER)
    acknowledged = told(life)
    assert acknowledged is not None
    assert (acknowledged["ac"], acknowledged["av"]) == (409, 3)
    assert "looked at again" in acknowledged["ad"]
    runner = life.options["runner"]
    runner.holds = False
    runner.jobs[0].run()
    assert life.step_until(State.DOWNLOAD_COMPLETE).id == "u2"
    assert ids(life) == ["u1", "u2"]
    assert told(life) == {"ac": 200, "av": 3, "ad": "update u2 was started"}


def test_what_came_too_late_is_acted_on_after_a_reboot(life: Life) -> None:
    """The twin is read again then, and tells it again; it is not acknowledged a second time while it waits."""
    reach(life, State.REBOOTING)
    desire(life, ANOTHER)
    life.options["runner"].holds = False
    told(life)
    life.reboot()
    patches = len(life.link.patches)
    connect(life)
    life.report()
    assert all("desired" not in patch["iothubDM"]["firmwareUpdate"] for patch in life.link.patches[patches:])
    assert life.step_until(State.APPLY_COMPLETE).id == "u1"
    assert life.step_until(State.DOWNLOADING).id == "u2"


def test_what_came_too_late_and_was_taken_back_is_forgotten(life: Life) -> None:
    """Nothing waits any more."""
    reach(life, State.ROLLING_BACK)
    desire(life, ANOTHER)
    desire(life, None)
    assert told(life) is None
    life.options["runner"].holds = False
    life.options["runner"].jobs[0].run()
    life.step_until(State.APPLY_FAILED)
    for _ in range(5):
        life.agent.step(life.clock.now())
    assert ids(life) == ["u1"]


@pytest.mark.parametrize("command", [Command.OTHER_UPDATE, Command.RETRY])
def test_a_method_overtakes_a_wish_that_waits(life: Life, command: Command) -> None:
    """The newest word counts: what the desired property wanted before is not dug out again, after a restart either."""
    reach(life, State.ROLLING_BACK)
    desire(life, REQUEST | {"fwVersion": "9"})
    life.options["runner"].holds = False
    life.options["runner"].jobs[0].run()
    # In the inbox before the update has settled, and answered when it has.
    update = life.agent.update
    assert update is not None
    assert life.agent.step(life.clock.now()) == 0.0
    assert life.agent.update is not None
    assert life.agent.update.state is State.APPLY_FAILED
    answer = send(life, command)
    assert answer is not None
    assert answer[0] == 200
    acknowledged = told(life)
    assert acknowledged is not None
    assert (acknowledged["ac"], acknowledged["ad"]) == (409, "a later command was carried out instead")
    for _ in range(2):
        for _ in range(5):
            life.agent.step(life.clock.now())
        assert life.agent.update is not None
        assert life.agent.update.request.version is None
        life.restart()
        connect(life)


def test_the_newest_word_counts_whoever_spoke_it(life: Life) -> None:
    """A method after the desired property, and the desired property after that."""
    life.options["policy"] = Delay(1e6)
    life.restart()
    connect(life)
    desire(life, REQUEST)
    assert life.call(payload=ANOTHER)[0] == 200
    life.restart()
    connect(life)
    assert life.agent.update is not None
    assert life.agent.update.request.uri == OTHER
    desire(life, REQUEST | {"fwVersion": "2"})
    assert life.agent.update.request.version == "2"
    assert life.call("firmwareUpdateCancel")[0] == 200
    life.restart()
    connect(life)
    assert life.agent.update.failure is not None
    assert life.agent.update.failure.code == "cancelled"
    assert ids(life) == ["u1", "u2", "u3"]


def test_two_words_in_the_inbox_are_heard_in_order(life: Life) -> None:
    """What was said last is what holds, though both wait for the agent."""
    life.link.desire(wrapped_value(REQUEST))
    life.agent.deliver(MethodCall("firmwareUpdate", ANOTHER, lambda _status, _body: None))
    settle(life)
    assert life.agent.update is not None
    assert life.agent.update.request.uri == OTHER


def test_a_late_twin_is_ignored(life: Life) -> None:
    """An older version behind a newer one, as of a hub that answers out of order."""
    desire(life, REQUEST)
    told(life)
    old = copy.deepcopy((life.link.desired, life.link.twin))
    desire(life, ANOTHER)
    told(life)
    life.link.desired, life.link.twin = old
    assert life.link.desired["iothubDM"]["firmwareUpdate"] == REQUEST
    connect(life)
    assert life.agent.update is not None
    assert life.agent.update.request.uri == OTHER


def test_a_device_that_was_registered_anew_hears_again(life: Life) -> None:
    """Its twin counts from 1 again and is empty."""
    for version in range(5):
        desire(life, REQUEST | {"fwVersion": f"{version}"})
    life.link.twin = {}
    life.link.desired = wrapped_value(ANOTHER) | {"$version": 1}
    connect(life)
    assert life.agent.update is not None
    assert life.agent.update.request.uri == OTHER
    assert told(life) == {"ac": 200, "av": 1, "ad": "update u6 was started"}


def test_a_device_without_memory_believes_the_twin(life: Life) -> None:
    """A lost database is no reason to begin again what the twin says was acted on: it is gone on with."""
    desire(life, REQUEST)
    told(life)
    life.end()
    life.directory = life.directory.with_name("new")
    life.start()
    connect(life)
    assert ids(life) == []
    assert life.agent.update is not None
    assert life.agent.update.id == "u1"
    life.link.desire({"somethingElse": 1})
    life.restart()
    connect(life)
    assert ids(life) == []
    assert life.agent.update is not None
    assert life.agent.update.id == "u1"
    assert told(life) == {"ac": 200, "av": 2, "ad": "this was acted on before, as the twin said"}
    desire(life, ANOTHER)
    assert ids(life) == ["u2"]


def _cut_life(directory: Path, power: PowerSwitch) -> Life:
    life = Life(directory)
    life.store_class = partial(CutStore, power=power)  # type: ignore[assignment]
    return life


def _story(life: Life, power: PowerSwitch) -> None:
    """Four changes of the desired property, delivered until they have been heard; the power may go at any commit."""
    life.options = {"policy": Delay(1e6)}
    for content in (REQUEST, {"fwPackageUri": "no"}, ANOTHER, None):
        life.link.desired = ({} if content is None else wrapped_value(content)) | {
            "$version": life.link.desired["$version"] + 1
        }
        for _ in range(2):
            try:
                if life.store is None:
                    life.start()
                connect(life)
                for _ in range(STEPS):
                    if life.agent.step(life.clock.now()) != 0.0:
                        break
                life.report()
            except PowerLossError:
                life.end()
                power.off, power.cut_at = False, None


def test_a_power_cut_neither_repeats_nor_loses_a_wish(tmp_path: Path) -> None:
    """At every commit, before it and behind it: the same updates come of it, and the twin is told the same."""
    power = PowerSwitch()
    whole = _cut_life(tmp_path / "whole", power)
    _story(whole, power)
    assert ids(whole) == ["u1", "u2"]
    assert whole.agent.update is not None
    assert whole.agent.update.state is State.DOWNLOAD_FAILED
    moments = power.moments
    assert moments > 20
    for cut_at in range(moments):
        power = PowerSwitch(cut_at)
        life = _cut_life(tmp_path / f"{cut_at}", power)
        _story(life, power)
        assert power.cut_at is None, cut_at
        assert [f"{row.trigger} {row.state}" for row in _history(life)] == [
            f"{row.trigger} {row.state}" for row in _history(whole)
        ], cut_at
        assert _acknowledged(life) == _acknowledged(whole), cut_at
        life.end()
    whole.end()


def _history(life: Life) -> list[Any]:
    assert life.store is not None
    return [row for row in life.store.history() if row.trigger != "restarted"]


def _acknowledged(life: Life) -> list[tuple[int, int] | None]:
    """Each acknowledgement that the twin has seen, without repetitions in a row."""
    seen: list[tuple[int, int] | None] = []
    for patch in life.link.patches:
        section = patch["iothubDM"]["firmwareUpdate"]
        if "desired" in section:
            found = section["desired"] and (section["desired"]["ac"], section["desired"]["av"])
            if seen[-1:] != [found]:
                seen.append(found)
    return seen


def test_what_is_answered_shows_no_secret(life: Life) -> None:
    """Neither an answer nor the twin repeats the query of a signed address."""
    signed = {"fwPackageUri": f"{URI}?sig=secret"}
    life.download.served[f"{URI}?sig=secret"] = IMAGE
    assert "secret" not in f"{life.call(payload=signed)} {life.call('firmwareUpdateStatus')}"
    desire(life, signed)
    told(life)
    assert "secret" not in f"{life.link.twin}"
