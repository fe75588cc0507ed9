"""`fwsm device`: run the agent of this device, and look at what its database says of it."""

from __future__ import annotations

import heapq
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fwsm.cli.agent import run
from fwsm.cli.explain import explain, trouble_lines, troubles
from fwsm.cli.extension import extension_option, imported
from fwsm.cli.output import Output, json_option, pass_output
from fwsm.cli.unit import service_unit
from fwsm.cli.values import Directory, Text
from fwsm.config import DeviceConfig
from fwsm.core.twin import section
from fwsm.store import HistoryRow, Incident, Store
from fwsm.store.lock import LOCK, holder

if TYPE_CHECKING:
    from collections.abc import Callable, Iterable

    from fwsm.core.update import Update

__all__ = ["device"]


@click.group()
def device() -> None:
    """The device's side.

    \b
    Examples:
      fwsm device run --state-dir ./d1 --slots-dir ./d1/board --ca-file ca.pem
      fwsm device status --state-dir ./d1
      fwsm device history --state-dir ./d1 --json
      fwsm device explain --state-dir ./d1
      fwsm device unit
    """


device.add_command(run)


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


@device.command(short_help="Show the newest update as it stands on disk.")
@_state_dir
@json_option
@pass_output
def status(output: Output, state_dir: Path) -> None:
    """Show the newest update as it stands on disk, and what went wrong beside it. Works beside a running agent.

    \b
    Example:
      fwsm device status --state-dir ./d1
    """
    with Store(state_dir, read_only=True) as store:
        update = store.latest()
        found = troubles([], _beside(store.incidents(), update))
    if update is None:
        shown, lines = None, ["this device has had no update yet"]
    else:
        shown = {name: value for name, value in section(update).items() if value is not None}
        width = max(map(len, shown))
        lines = [f"{name:<{width}}  {_plain(value)}" for name, value in shown.items()]
    output.data({"update": shown, "troubles": found}, "\n".join([*lines, *trouble_lines(found)]))


@device.command(short_help="Show every entry into a state, oldest first.")
@_state_dir
@click.option("--update", "update_id", type=Text(), help="Only this update.")
@click.option("--limit", type=click.IntRange(1, 100_000), default=1000, show_default=True, help="The newest so many.")
@json_option
@pass_output
def history(output: Output, state_dir: Path, update_id: str | None, limit: int) -> None:
    """Show every entry into a state, and what went wrong beside it, oldest first.

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


@device.command("explain", short_help="Say in plain words what the device is doing, and why.")
@_state_dir
@extension_option("Say what may come next in the lifecycle with")
@json_option
@pass_output
def explain_update(output: Output, state_dir: Path, extension: str | None) -> None:
    """Say in plain words what the device is doing and why, what may come next, and what you can do.

    \b
    Example:
      fwsm device explain --state-dir ./d1
      fwsm device explain --extension mydevice:extension    # of a program with steps or rows of its own
    """
    with Store(state_dir, read_only=True) as store:
        update = store.latest()
        rows = store.history(update.id) if update else []
        incidents = _beside(store.incidents(), update)
    process = holder(state_dir / LOCK)
    agent = {"runs": process is not None, "process": int(process) if process and process.isdecimal() else None}
    if update is None:
        found = troubles([], incidents)
        lines = ["This device has had no update yet; it waits for the method firmwareUpdate.", *trouble_lines(found)]
        lines += [*([""] if found else []), _agent_line(process)]
        output.data({"update": None, "troubles": found, "agent": agent}, "\n".join(lines))
        return
    explanation = explain(update, rows, incidents, imported(extension))
    output.data(
        explanation.document(update) | {"agent": agent}, f"{explanation.text(update)}\n\n{_agent_line(process)}"
    )


@device.command(short_help="Print a systemd unit that runs the agent.")
@click.option(
    "--config",
    "file",
    type=click.Path(path_type=Path, dir_okay=False),
    default=Path("/etc/fwsm/fwsm.toml"),
    show_default=True,
    help="The TOML file that the service is to use.",
)
@json_option
@pass_output
def unit(output: Output, file: Path) -> None:
    """Print a systemd unit that runs the agent, with this Python and a watchdog.

    \b
    Example:
      fwsm device unit | sudo tee /etc/systemd/system/fwsm.service
      sudo systemctl enable --now fwsm
    """
    text = service_unit(file)
    output.data({"unit": text}, text.rstrip("\n"))


def _beside(incidents: list[Incident], update: Update | None) -> list[Incident]:
    """Those that have to do with the newest update, or with the device as such."""
    return [each for each in incidents if each.update_id in {None, update.id if update else None}]


def _agent_line(process: str | None) -> str:
    if process is None:
        return "No agent runs here, so nothing of this happens before one is started: systemctl start fwsm"
    return f"An agent runs here, process {process}." if process else "An agent runs here."


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
