"""`fwsm hub events`, on a hub that runs."""

from __future__ import annotations

import json
import signal
from typing import TYPE_CHECKING

import pytest
from click.testing import CliRunner

from fwsm.cli import program
from fwsm.cli.options import CA_FILE, CONNECTION_STRING
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    import subprocess
    from collections.abc import Callable

    from fwsm.hub import Hub


def _events(hub: Hub, *arguments: object) -> tuple[int, str, str]:
    given = {CONNECTION_STRING: hub.owner_connection_string, CA_FILE: str(hub.ca_path)}
    result = CliRunner().invoke(program, ["hub", "events", *map(str, arguments)], env=given)
    return result.exit_code, result.stdout, result.stderr


def test_events_are_told_to_people(hub: Hub) -> None:
    """Position, whom it is about, source, what happened, and the body."""
    hub.add_device("d1")
    hub.update_twin("d1", tags={"a": "ü"})
    code, out, err = _events(hub, "--after", 1, "--count", 1)
    assert (code, err) == (0, "")
    assert out.startswith("2  d1  twinChangeEvents  updateTwin  {")
    assert '"a": "ü"' in out


def test_events_are_told_to_programs(hub: Hub) -> None:
    """One JSON object a line, in the shape of the event endpoint; of one device, if asked for."""
    for device_id in ("d1", "d2"):
        hub.add_device(device_id)
    code, out, _ = _events(hub, "--after", 0, "--device", "d2", "--count", 1, "--json")
    assert code == 0
    (event,) = map(json.loads, out.splitlines())
    assert (event["event"], event["sequenceNumber"], event["source"]) == ("event", 2, "deviceLifecycleEvents")
    assert event["annotations"]["iothub-connection-device-id"] == "d2"


def test_lost_events_are_told(hub: Hub) -> None:
    """Once, and it goes on with those that are there."""
    hub.add_device("d1")
    hub._live.decide(setattr, hub._live.engine.feed, "_most_events", 1)
    for number in range(3):
        hub.update_twin("d1", tags={"n": number})
    _, out, _ = _events(hub, "--after", 1, "--count", 2)
    assert out.splitlines()[0] == "the events 2 to 3 are no longer kept"
    _, out, _ = _events(hub, "--after", 1, "--count", 1, "--json")
    assert json.loads(out) == {"event": "lost", "from": 2, "to": 3}


@pytest.mark.parametrize(("arguments", "code"), [(("--after", -1), 2), (("--device", "a/b"), 2), (("--after", 99), 1)])
def test_wrong_wishes_are_told(hub: Hub, arguments: tuple[object, ...], code: int) -> None:
    """No position, no device, not there yet."""
    ended, out, err = _events(hub, *arguments)
    assert (ended > 0, out) == (True, "")
    assert err
    assert (ended == 2) == (code == 2)


def test_following_ends_with_ctrl_c_and_with_the_hub(hub: Hub, start: Callable[..., subprocess.Popen[str]]) -> None:
    """Exit code 130, or 14 with what to do."""
    hub.add_device("d1")
    given = {CONNECTION_STRING: hub.owner_connection_string, CA_FILE: str(hub.ca_path)}
    ended = []
    for end in (None, hub.stop):
        process = start("hub", "events", "--after", "0", "--json", env=given)
        assert process.stdout is not None
        assert json.loads(process.stdout.readline())["sequenceNumber"] == 1
        if end is None:
            process.send_signal(signal.SIGINT)
        else:
            end()
        _, err = process.communicate(timeout=PATIENCE_S)
        ended.append((process.returncode, "has ended the feed" in err))
    assert ended == [(130, False), (14, True)]
