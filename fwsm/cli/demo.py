"""`fwsm demo`: an update on this machine, with a device that is killed twice on the way."""

from __future__ import annotations

import importlib.util
import os
import secrets
import signal
import socket
import tempfile
import time
from contextlib import ExitStack, contextmanager
from functools import partial
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fwsm.cli.output import Output, json_option, pass_output
from fwsm.cli.values import Directory
from fwsm.errors import ConfigError, FwsmError, PortInUseError
from fwsm.testing.bad_days import BadDay

if TYPE_CHECKING:
    from collections.abc import Iterator
    from types import FrameType

    from fwsm.testing.rehearsal import Check, Moment

__all__ = ["demo"]

_IMAGE_BYTES = 24 * 1024 * 1024
_LEAST_BYTES = 1024
_COLOURS = {"hub": "blue", "server": "blue", "device": "green", "operator": "cyan", "demo": "red"}
_FAULTS = "\n".join(["\b", "Faults:", *(f"  {day:<12}  {day.story}" for day in BadDay)])
_HUB_PORTS = (8883, 8443)
_ENDING = (signal.SIGINT, signal.SIGTERM, signal.SIGHUP)


class DemoFailedError(FwsmError):
    """The demo ran to its end, and something did not hold."""

    code = "demoFailed"


@click.command(epilog=_FAULTS)
@click.option(
    "--fault",
    type=click.Choice([day.value for day in BadDay]),
    metavar="NAME",
    help=f"Instead of the kills: {', '.join(BadDay)}.",
)
@click.option("--no-kill", is_flag=True, help="Let the device live.")
@click.option("--devices", type=click.IntRange(1, 20), default=1, metavar="N", help="Update so many at once, up to 20.")
@click.option("--image", type=click.Path(path_type=Path), help="The firmware image; else one is made up.")
@click.option("--keep", type=Directory(), metavar="DIR", help="Keep everything in DIR.")
@json_option
@pass_output
def demo(
    output: Output, /, *, fault: str | None, no_kill: bool, devices: int, image: Path | None, keep: Path | None
) -> None:
    """Update a device on this machine, and kill it twice on the way.

    Starts an IoT Hub, an HTTPS image server and a device with the real SDK, triggers an update, kills the device with
    SIGKILL in the middle of the download and again while it applies the image, and shows that it goes on. With --fault
    something else goes wrong instead. Ends with exit code 0 only if all of it held.

    \b
    Examples:
      fwsm demo
      fwsm demo --fault bad-firmware
      fwsm demo --devices 5 --no-kill
      fwsm demo --image firmware.img --keep ./demo
    """
    if no_kill and fault == BadDay.POWER_CUT:
        raise ConfigError("--no-kill and --fault power-cut contradict each other", fix="Leave one of them out")
    if any(importlib.util.find_spec(name) is None for name in ("cryptography", "starlette", "uvicorn")):
        raise ConfigError("the demo needs the embedded hub", fix="Install it: pip install 'fwsm[hub]'")
    # Only now it is known that its parts are there.
    from fwsm.testing.rehearsal import FAULTS, KILLS, UNDISTURBED, Rehearsal  # noqa: PLC0415

    scenario = FAULTS[BadDay(fault)] if fault else UNDISTURBED if no_kill else KILLS
    began_s = time.monotonic()
    with _tidied_up_after(), ExitStack() as stack:
        directory = _directory(keep) or Path(stack.enter_context(tempfile.TemporaryDirectory(prefix="fwsm-demo-")))
        chosen = _image(image, directory)
        address = _free_address()
        rehearsal = Rehearsal(
            scenario, directory, chosen, address, partial(_show, output, devices > 1), devices=devices
        )
        whom = "A device is" if devices == 1 else f"{devices} devices are"
        output.say(f"{whom} updated over an IoT Hub, all on this machine, and {scenario.story}.\n")
        checks = rehearsal.run()
        output.say("")
        for check in checks:
            _judge(output, check)
        if keep:
            output.say(f"everything is in {directory}")
    _conclude(output, checks, time.monotonic() - began_s, _where_to_look(rehearsal.logs, directory, kept=bool(keep)))


def _where_to_look(logs: list[Path], directory: Path, *, kept: bool) -> str:
    """What to do about a demo that failed: its files are gone unless they were to be kept."""
    named = ", ".join(str(log if kept else log.relative_to(directory)) for log in logs)
    return f"Look into {named}" if kept else f"Run it again with --keep DIR, and look there into {named}"


def _conclude(output: Output, checks: list[Check], took_s: float, fix: str) -> None:
    missed = [check.what for check in checks if not check.held]
    if missed:
        raise DemoFailedError(
            f"{len(missed)} of {len(checks)} did not hold",
            why="; ".join(missed),
            fix=fix,
        )
    output.say(f"\nAll of it held, {len(checks)} of {len(checks)}, in {took_s:.0f} s.")


@contextmanager
def _tidied_up_after() -> Iterator[None]:
    """Let SIGTERM and a terminal that was closed end the demo in order, as Ctrl-C does: no device may outlive it.

    Only the first of these signals counts, so that none breaks into the tidying up.
    """

    def end(number: int, _frame: FrameType | None) -> None:
        for each in _ENDING:
            signal.signal(each, signal.SIG_IGN)
        raise KeyboardInterrupt if number == signal.SIGINT else SystemExit(128 + number)

    heeded = [number for number in _ENDING if signal.getsignal(number) is not signal.SIG_IGN]  # nohup ignores one
    before = {number: signal.signal(number, end) for number in heeded}
    try:
        yield
    finally:
        for number, handler in before.items():
            signal.signal(number, handler)


def _show(output: Output, several: bool, moment: Moment) -> None:
    document: dict[str, Any] = {"event": "moment", "atS": round(moment.at_s, 2), "who": moment.who, "text": moment.text}
    if moment.device is not None:
        document["device"] = moment.device
    if moment.section is not None:
        document["reported"] = moment.section
    who = click.style(f"{moment.who:<8}", fg=_COLOURS[moment.who], bold=moment.who == "demo")
    whom = f"{moment.device or '':<9}  " if several else ""
    output.data(document, f"{moment.at_s:6.2f} s  {who}  {whom}{moment.text}")


def _judge(output: Output, check: Check) -> None:
    document = {"event": "check", "what": check.what, "held": check.held, "detail": check.detail}
    mark = click.style("held  ", fg="green") if check.held else click.style("FAILED", fg="red", bold=True)
    output.data(document, f"{mark}  {check.what}\n        {check.detail}")


def _directory(keep: Path | None) -> Path | None:
    if keep is None:
        return None
    try:
        keep.mkdir(parents=True, exist_ok=True)
        if any(keep.iterdir()):
            raise ConfigError(f"{keep} is not empty", fix="Name a new directory")
    except OSError as error:
        raise ConfigError(f"cannot use {keep}", why=str(error), fix="Name a directory that can be written") from error
    return keep


def _image(image: Path | None, directory: Path) -> Path:
    if image is None:
        made = directory / "made-up-firmware.img"
        made.write_bytes(secrets.token_bytes(_IMAGE_BYTES))
        return made
    if not image.is_file() or not os.access(image, os.R_OK):
        raise ConfigError(f"cannot read the image {image}", fix="Name a file that can be read")
    size_bytes = image.stat().st_size
    if size_bytes == 0:
        raise ConfigError(f"the image {image} is empty", fix="Name a file with something in it")
    if size_bytes < _LEAST_BYTES:
        raise ConfigError(
            f"the image {image} is too small",
            why=f"of {size_bytes} bytes there is no middle in which a device could be killed",
            fix=f"Name a file of {_LEAST_BYTES} bytes or more",
        )
    return image.resolve()


def _free_address() -> str:
    """An address of 127.0.0.0/8 on which nobody uses the hub's ports; the SDK knows no port but 8883."""
    for _ in range(50):
        address = f"127.{1 + secrets.randbelow(254)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"
        if all(_free(address, port) for port in _HUB_PORTS):
            return address
    raise PortInUseError(
        "no address of 127.0.0.0/8 has the ports 8883 and 8443 free",
        why="some program listens there on all addresses",
        fix="End that program for the time of the demo",
    )


def _free(address: str, port: int) -> bool:
    with socket.socket() as probe:
        probe.setsockopt(socket.SOL_SOCKET, socket.SO_REUSEADDR, 1)
        try:
            probe.bind((address, port))
        except OSError:
            return False
        return True
