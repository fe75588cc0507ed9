"""The command line: a file a noun, and `output` the only place that prints.

    operator   trigger, watch
    steer      cancel, retry, status
    job        job list, show, watch, cancel
    hub        hub run, hub send, hub device add|list|show|remove; the next three are parts of it:
               hubauthority (add|code|verify|list|remove), hubevents, hubfault (add|list|clear), hublog
    device     device run, status, history, explain, unit
    config     config check, show
    demo       the whole of it on this machine
    diagram    the lifecycle, drawn

A command's module is imported when the command is used, so that `fwsm --help` is quick and a command whose
packages are not installed is in nobody's way.
"""

from __future__ import annotations

import importlib
import io
import sys
from typing import Any, Final

import click

from fwsm.cli.failure import reported_failures
from fwsm.cli.loading import loading
from fwsm.cli.output import Output

__all__ = ["COMMANDS", "main", "program"]

# name -> where its command is ("module:object"), and what --help says of it
COMMANDS: Final[dict[str, tuple[str, str]]] = {
    "trigger": ("fwsm.cli.operator:trigger", "Start an update on a device."),
    "watch": ("fwsm.cli.operator:watch", "Follow a device's update until it settles."),
    "cancel": ("fwsm.cli.steer:cancel", "Cancel an update that has not been applied."),
    "retry": ("fwsm.cli.steer:retry", "Start a failed update again."),
    "status": ("fwsm.cli.steer:status", "Ask a device how its update stands."),
    "job": ("fwsm.cli.job:job", "Look at what was ordered for many devices."),
    "hub": ("fwsm.cli.hub:hub", "Run an IoT Hub on this machine, and register devices."),
    "device": ("fwsm.cli.device:device", "Run the device's side, and ask it how it is."),
    "config": ("fwsm.cli.config:config", "Check the settings of the device, and show which hold."),
    "demo": ("fwsm.cli.demo:demo", "See an update survive being killed, on this machine."),
    "diagram": ("fwsm.cli.diagram:diagram", "Draw the lifecycle of an update."),
}


class _Program(click.Group):
    """A group that knows its commands by name, and ends every one of them with a message and an exit code."""

    def list_commands(self, ctx: click.Context) -> list[str]:  # noqa: ARG002
        return list(COMMANDS)

    def get_command(self, ctx: click.Context, cmd_name: str) -> click.Command | None:  # noqa: ARG002
        if cmd_name not in COMMANDS:
            return None
        module, _, name = COMMANDS[cmd_name][0].partition(":")
        with loading():
            command: click.Command = getattr(importlib.import_module(module), name)
        return command

    def format_commands(self, ctx: click.Context, formatter: click.HelpFormatter) -> None:  # noqa: ARG002
        with formatter.section("Commands"):
            formatter.write_dl([(name, summary) for name, (_, summary) in COMMANDS.items()])

    def parse_args(self, ctx: click.Context, args: list[str]) -> list[str]:
        output = ctx.ensure_object(Output)
        output.json = "--json" in args  # known early: what is said of the other arguments depends on it
        with reported_failures(output):
            return super().parse_args(ctx, args)

    def invoke(self, ctx: click.Context) -> Any:
        with reported_failures(ctx.ensure_object(Output)):
            return super().invoke(ctx)


@click.group(cls=_Program, context_settings={"help_option_names": ["-h", "--help"]})
@click.version_option(package_name="fwsm")
def program() -> None:
    """Firmware updates for Azure IoT Hub devices that survive anything.

    \b
    Examples:
      fwsm demo
      fwsm hub run --device d1
      fwsm trigger d1 --uri https://example.org/fw.img --watch
      fwsm watch d1 --json
    """


def main() -> None:
    """Run the program; ends the process."""
    if isinstance(sys.stdout, io.TextIOWrapper):
        # What its encoding has no letters for, such as bytes in the name of a file, is no reason to say nothing.
        sys.stdout.reconfigure(errors="backslashreplace")
    program(prog_name="fwsm")
