"""`fwsm device`: run the agent of this device, and look at what its database says."""

from __future__ import annotations

import heapq
import logging
import os
import signal
import sys
from contextlib import contextmanager
from typing import TYPE_CHECKING, Any

import click

from fwsm.cli.output import Output, json_option, pass_output
from fwsm.cli.settings import config_option, setting_options
from fwsm.cli.values import Directory
from fwsm.config import DeviceConfig, load, strays
from fwsm.core.redaction import redacted
from fwsm.core.twin import section
from fwsm.store import HistoryRow, Incident, Store

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable, Iterator
    from pathlib import Path

    from fwsm.errors import FwsmError

__all__ = ["device"]

_log = logging.getLogger(__name__)


@click.group()
def device() -> None:
    r"""The device's side.

    \b
    Examples:
      fwsm device run --state-dir ./d1 --slots-dir ./d1/board --ca-file ca.pem
      fwsm device status --state-dir ./d1
      fwsm device history --state-dir ./d1 --json
    """


@device.command()
@config_option
@setting_options
@json_option
@pass_output
def run(output: Output, /, file: Path | None, **given: Any) -> None:
    r"""Run the update agent until SIGTERM or Ctrl-C.

    Each option is also a setting in the file given with --config, and a variable FWSM_… in the environment; an option
    wins over the environment, and that over the file. Put the connection string into the environment: other users of
    this machine can see the options.

    \b
    Examples:
      export FWSM_CONNECTION_STRING='HostName=…;DeviceId=d1;SharedAccessKey=…'
      fwsm device run --state-dir ./d1 --slots-dir ./d1/board --ca-file ca.pem
    """
    from fwsm.device.assembly import assemble  # noqa: PLC0415 - status and history do without the SDK

    config = load(file, os.environ, given)
    logging.basicConfig(level=config.log_level, stream=sys.stderr, format="%(asctime)s %(levelname)s %(message)s")
    for foreign in ("azure", "paho", "alembic", "transitions", "urllib3"):  # we say what matters of them ourselves
        logging.getLogger(foreign).setLevel(logging.ERROR)
    for handler in logging.getLogger().handlers:
        handler.addFilter(_redacted)
    for stray in strays(os.environ):
        _log.warning("%s", stray)
    rebooting: list[bool] = []

    def reboot() -> None:
        rebooting.append(True)
        running.stop()

    with assemble(config, on_reboot=reboot, on_state=_told(output)) as running, _stopped_by_signals(running.stop):
        output.say(f"agent of {config.state_dir} runs, process {os.getpid()}")
        running.run()
    if rebooting:
        output.say("the board reboots")
        _cycle_power(config)


def _told(output: Output) -> Callable[[bool, FwsmError | None], None]:
    """Says when the link comes and goes, each thing once in a row."""
    last: list[str] = [""]

    def told(connected: bool, error: FwsmError | None) -> None:
        text = "connected to the hub" if connected else str(error or "disconnected from the hub")
        if text != last[0]:
            last[0] = text
            output.say(text)

    return told


def _redacted(record: logging.LogRecord) -> bool:
    record.msg, record.args = redacted(record.getMessage()), None
    return True


@contextmanager
def _stopped_by_signals(stop: Callable[[], None]) -> Iterator[None]:
    before = {number: signal.getsignal(number) for number in (signal.SIGTERM, signal.SIGINT)}
    for number in before:
        signal.signal(number, lambda _number, _frame: stop())
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _cycle_power(config: DeviceConfig) -> None:
    """What a reboot does to the simulated board: it boots a slot, and this program is started anew."""
    from fwsm.device.durable import Disk  # noqa: PLC0415
    from fwsm.device.installers.bootloader import Board  # noqa: PLC0415

    Board(config.slots_dir, disk=Disk()).power_cycle()
    sys.stdout.flush()
    sys.stderr.flush()
    os.execv(sys.executable, [sys.executable, *_again()])  # noqa: S606 - the same program again


def _again() -> list[str]:
    """The arguments that started this program, for its next life."""
    return ["-m", "fwsm", *sys.argv[1:]]


def _state_dir(command: Callable[..., Any]) -> Callable[..., Any]:
    return click.option(
        "--state-dir",
        envvar="FWSM_STATE_DIR",
        show_envvar=True,
        type=Directory(),
        default=DeviceConfig().state_dir,
        show_default=True,
        help="Where the device's database is.",
    )(command)


@device.command()
@_state_dir
@json_option
@pass_output
def status(output: Output, state_dir: Path) -> None:
    r"""Show the newest update as it stands on disk; works beside a running agent.

    \b
    Example:
      fwsm device status --state-dir ./d1
    """
    with Store(state_dir, read_only=True) as store:
        update = store.latest()
    if update is None:
        output.data({"update": None}, "this device has had no update yet")
        return
    shown = {name: value for name, value in section(update).items() if value is not None}
    width = max(map(len, shown))
    lines = (f"{name:<{width}}  {_plain(value)}" for name, value in shown.items())
    output.data({"update": shown}, "\n".join(lines))


@device.command()
@_state_dir
@click.option("--update", "update_id", help="Only this update.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="The newest so many.")
@json_option
@pass_output
def history(output: Output, state_dir: Path, update_id: str | None, limit: int) -> None:
    r"""Show every entry into a state, and what went wrong beside it, oldest first.

    \b
    Example:
      fwsm device history --state-dir ./d1
      fwsm diagram --timeline --db ./d1/fwsm.db     # the same, drawn
    """
    with Store(state_dir, read_only=True) as store:
        rows = store.history(update_id, limit=limit)
        incidents = [each for each in store.incidents(limit=limit) if update_id in {None, each.update_id}]
    if not rows and not incidents:
        output.say("there is nothing in the history")
    shown: Iterable[HistoryRow | Incident] = heapq.merge(rows, incidents, key=lambda each: each.at)
    for each in shown:
        if isinstance(each, Incident):
            output.data(_incident_document(each), _incident_line(each))
        else:
            output.data(_document(each), _line(each))


def _plain(value: Any) -> str:
    if isinstance(value, dict):
        return ", ".join(f"{name} {_plain(part)}" for name, part in value.items() if part is not None)
    return str(value)


def _document(row: HistoryRow) -> dict[str, Any]:
    return {
        "number": row.number,
        "updateId": row.update_id,
        "at": row.at.isoformat(),
        "bootId": row.boot_id,
        "trigger": row.trigger,
        "source": row.source,
        "state": row.state,
        "attempt": row.attempt,
        "error": row.failure_code,
    }


def _line(row: HistoryRow) -> str:
    failure = f"  ({row.failure_code})" if row.failure_code else ""
    return f"{row.at:%Y-%m-%d %H:%M:%S}Z  {row.update_id[:8]}  {row.trigger:<18} {row.state}{failure}"


def _incident_document(incident: Incident) -> dict[str, Any]:
    return {
        "incident": incident.code,
        "message": incident.message,
        "updateId": incident.update_id,
        "at": incident.at.isoformat(),
        "bootId": incident.boot_id,
    }


def _incident_line(incident: Incident) -> str:
    update_id = (incident.update_id or "-")[:8]
    return f"{incident.at:%Y-%m-%d %H:%M:%S}Z  {update_id:<8}  {incident.code}: {incident.message}"
