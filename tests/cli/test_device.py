"""`fwsm device`: what it says of a database, and how `run` begins and ends."""

from __future__ import annotations

import json
import os
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any

import pytest
from click.testing import CliRunner

from fwsm.cli import program
from fwsm.core.entry import Facts
from fwsm.core.lifecycle import Lifecycle, Trigger
from fwsm.core.moment import Moment
from fwsm.core.update import Request, State, Update
from fwsm.store import Store

if TYPE_CHECKING:
    from pathlib import Path

NOW = Moment(datetime(2026, 5, 4, 12, tzinfo=UTC), 1.0, "boot-1")
UPDATE = Update(
    id="update-1",
    request=Request("https://images.example/fw.img?sig=geheim", version="2.0"),
    state=State.WAITING,
    boot_id="boot-1",
    started_waiting_at=NOW.wall,
)
SECRET = "c2VjcmV0LWtleQ=="


def _fwsm(*arguments: object, **environment: str | None) -> tuple[int, str, str]:
    clean: dict[str, str | None] = {"FWSM_CONNECTION_STRING": None, "FWSM_STATE_DIR": None, "FWSM_CA_FILE": None}
    result = CliRunner().invoke(program, list(map(str, arguments)), env=clean | environment)
    return result.exit_code, result.stdout, result.stderr


@pytest.fixture
def state_dir(tmp_path: Path) -> Path:
    """A device whose update was cancelled."""
    with Store(tmp_path / "state") as store:
        store.accept(UPDATE, NOW)
        Lifecycle([store.advance]).fire(UPDATE, Trigger.CANCELLED, Facts(now=NOW))
    return tmp_path / "state"


def test_status_shows_what_the_twin_shows(state_dir: Path) -> None:
    """The newest update, in the words of the twin, without the secret part of its address."""
    code, out, _ = _fwsm("device", "status", "--state-dir", state_dir)
    assert code == 0
    assert "downloadFailed" in out
    assert "https://images.example/fw.img" in out
    assert "geheim" not in out


def test_status_as_json(state_dir: Path) -> None:
    """One object for programs."""
    code, out, _ = _fwsm("device", "status", "--json", FWSM_STATE_DIR=str(state_dir))
    shown: dict[str, Any] = json.loads(out)["update"]
    assert code == 0
    assert (shown["updateId"], shown["status"], shown["fwVersion"]) == ("update-1", "downloadFailed", "2.0")
    assert shown["error"]["code"] == "cancelled"


def test_history_shows_every_entry_oldest_first(state_dir: Path) -> None:
    """Each entry with what led there."""
    code, out, _ = _fwsm("device", "history", "--state-dir", state_dir, "--json")
    rows = [json.loads(line) for line in out.splitlines()]
    assert code == 0
    assert [(row["trigger"], row["source"], row["state"]) for row in rows] == [
        ("accepted", None, "waiting"),
        ("cancelled", "waiting", "downloadFailed"),
    ]
    assert "cancelled" in _fwsm("device", "history", "--state-dir", state_dir, "--update", "update-1")[1]


def test_history_shows_what_went_wrong_beside_the_update(state_dir: Path) -> None:
    """In its place in time, for people and for programs; with one update, only what happened to that one."""
    with Store(state_dir) as store:
        store.note("hookFailed", "app.lamp raised OSError: gone", NOW, "update-1")
        store.note("storeDamaged", "set aside", NOW)
    code, out, _ = _fwsm("device", "history", "--state-dir", state_dir)
    assert code == 0
    assert out.splitlines()[2:] == [
        "2026-05-04 12:00:00Z  update-1  hookFailed: app.lamp raised OSError: gone",
        "2026-05-04 12:00:00Z  -         storeDamaged: set aside",
    ]
    _, out, _ = _fwsm("device", "history", "--state-dir", state_dir, "--update", "update-1", "--json")
    assert [json.loads(line) for line in out.splitlines()[2:]] == [
        {
            "incident": "hookFailed",
            "message": "app.lamp raised OSError: gone",
            "updateId": "update-1",
            "at": "2026-05-04T12:00:00+00:00",
            "bootId": "boot-1",
        }
    ]


TAKEN = "another program seems to be the device 'd1' of hub: it was lost 3 times. Look for another machine"


@pytest.mark.parametrize("command", ["status", "explain"])
def test_what_went_wrong_beside_the_update_is_shown_with_what_to_do(state_dir: Path, command: str) -> None:
    """What concerns another update is not; so a contest for the device's place at the hub is seen on the device."""
    with Store(state_dir) as store:
        store.note("hookFailed", "of long ago", NOW, "update-0")
        store.note("linkTaken", TAKEN, NOW)
    code, out, _ = _fwsm("device", command, "--state-dir", state_dir)
    assert code == 0
    assert "What went wrong, newest last:\n" in out
    assert f"  - 2026-05-04T12:00:00Z  linkTaken: {TAKEN}\n" in out
    assert "of long ago" not in out
    shown = json.loads(_fwsm("device", command, "--state-dir", state_dir, "--json")[1])
    assert shown["troubles"][-1:] == [{"at": "2026-05-04T12:00:00+00:00", "code": "linkTaken", "what": TAKEN}]


@pytest.mark.parametrize("command", ["status", "explain"])
def test_what_went_wrong_is_shown_before_the_first_update_as_well(tmp_path: Path, command: str) -> None:
    """As it may be the reason why there is none."""
    with Store(tmp_path) as store:
        store.note("linkTaken", TAKEN, NOW)
    code, out, _ = _fwsm("device", command, "--state-dir", tmp_path)
    assert code == 0
    assert "no update yet" in out
    assert f"\n\nWhat went wrong, newest last:\n  - 2026-05-04T12:00:00Z  linkTaken: {TAKEN}\n" in out
    shown = json.loads(_fwsm("device", command, "--state-dir", tmp_path, "--json")[1])
    assert (shown["update"], [each["code"] for each in shown["troubles"]]) == (None, ["linkTaken"])


def test_a_device_without_an_update_says_so(tmp_path: Path) -> None:
    """Nothing is wrong with that."""
    Store(tmp_path).close()
    assert _fwsm("device", "status", "--state-dir", tmp_path)[:2] == (0, "this device has had no update yet\n")
    code, out, err = _fwsm("device", "history", "--state-dir", tmp_path)
    assert (code, out) == (0, "")
    assert "nothing in the history" in err


def test_looking_where_no_device_is_makes_nothing(tmp_path: Path) -> None:
    """A wrong directory is said, and stays empty."""
    code, _, err = _fwsm("device", "status", "--state-dir", tmp_path / "nowhere")
    assert code == 20
    assert "there is no database" in err
    assert not (tmp_path / "nowhere").exists()


@pytest.mark.parametrize(
    ("connection_string", "says"),
    [
        (None, "the device has no connection string"),
        (f"HostName=h;SharedAccessKey={SECRET}", "DeviceId is missing"),
        (f"HostName=h;DeviceId=d;SharedAccessKey=!{SECRET}", "SharedAccessKey is not base64"),
        (f"HostName=h;SharedAccessKeyName=service;SharedAccessKey={SECRET}", "it names a policy"),
    ],
)
def test_a_bad_connection_string_is_said_and_not_shown(
    tmp_path: Path, connection_string: str | None, says: str
) -> None:
    """Exit code 11, what is missing, and no key; nothing has been made."""
    code, out, err = _fwsm("device", "run", "--state-dir", tmp_path / "s", FWSM_CONNECTION_STRING=connection_string)
    assert code == 11
    assert says in err
    assert SECRET not in out + err
    assert not (tmp_path / "s").exists()


def test_a_configuration_that_cannot_be_read_is_said(tmp_path: Path) -> None:
    """A missing file, text that is no TOML, and a setting that does not exist, with its line."""
    assert _fwsm("device", "run", "--config", tmp_path / "no.toml")[0] == 11
    file = tmp_path / "fwsm.toml"
    file.write_text("soak_s = \n")
    assert _fwsm("device", "run", "--config", file)[0] == 11
    file.write_text('state_dir = "x"\nsoak = 3\n')
    code, _, err = _fwsm("device", "run", "--config", file)
    assert code == 11
    assert "line 2" in err


def test_explain_says_what_is_and_what_may_come(state_dir: Path) -> None:
    """In words for people, and as an object for programs."""
    with Store(state_dir) as store:
        store.note("storeDamaged", "set aside", NOW)
        store.note("hookFailed", "of another update", NOW, "update-0")
    code, out, _ = _fwsm("device", "explain", "--state-dir", state_dir)
    assert code == 0
    assert "ended before anything was installed" in out
    assert "somebody asks for another try: waiting" in out
    assert "storeDamaged: set aside" in out
    assert "of another update" not in out
    assert out.endswith("No agent runs here, so nothing of this happens before one is started: systemctl start fwsm\n")
    code, out, _ = _fwsm("device", "explain", "--state-dir", state_dir, "--json")
    shown = json.loads(out)
    assert (code, shown["state"], shown["next"][0]["state"]) == (0, "downloadFailed", "waiting")
    assert set(shown) == {"updateId", "state", "doing", "why", "until", "next", "troubles", "advice", "agent"}
    assert shown["agent"] == {"runs": False, "process": None}


def test_explain_knows_the_lifecycle_of_another_program(state_dir: Path, extended: str) -> None:
    """Once it is told where that is."""
    with Store(state_dir) as store:
        update = replace(UPDATE, id="update-2", state=State.child("backingUp"))
        store.accept(update, NOW)
    _, out, _ = _fwsm("device", "explain", "--state-dir", state_dir)
    assert "--extension" in out
    _, out, _ = _fwsm("device", "explain", "--state-dir", state_dir, "--extension", extended)
    assert "when the step is done: applying.installing" in out


def test_explain_tells_whether_an_agent_runs(state_dir: Path) -> None:
    """By the lock that it holds."""
    with Store(state_dir):
        _, out, _ = _fwsm("device", "explain", "--state-dir", state_dir)
        _, document, _ = _fwsm("device", "explain", "--state-dir", state_dir, "--json")
    assert out.endswith(f"An agent runs here, process {os.getpid()}.\n")
    assert json.loads(document)["agent"] == {"runs": True, "process": os.getpid()}


def test_explain_of_a_device_without_an_update(tmp_path: Path) -> None:
    """It waits for one."""
    Store(tmp_path).close()
    code, out, _ = _fwsm("device", "explain", "--state-dir", tmp_path)
    assert code == 0
    assert "no update yet" in out
    assert "No agent runs here" in out


def test_the_unit_is_printed(tmp_path: Path) -> None:
    """For the file that was named."""
    code, out, _ = _fwsm("device", "unit", "--config", tmp_path / "device.toml")
    assert code == 0
    assert f"device run --config {tmp_path / 'device.toml'}\n" in out
    assert json.loads(_fwsm("device", "unit", "--json")[1])["unit"].startswith("# Made by")
