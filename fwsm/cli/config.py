"""`fwsm config`: what is wrong with the settings of a device, and which of them hold."""

from __future__ import annotations

import json
import os
from dataclasses import fields
from pathlib import Path
from typing import TYPE_CHECKING, Any

import click

from fwsm.cli.output import Output, json_option, pass_output
from fwsm.cli.settings import config_option, setting_options
from fwsm.config import SECRETS, DeviceConfig, Found, find, strays
from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Iterator

__all__ = ["config"]


@click.group()
def config() -> None:
    """The settings of the device, as `fwsm device run` would find them.

    \b
    Examples:
      fwsm config check --config device.toml
      fwsm config show --config device.toml --json
    """


@config.command(short_help="Say all that is wrong with the settings.")
@config_option
@setting_options
@json_option
@pass_output
def check(output: Output, /, file: Path | None, **given: Any) -> None:
    """Say all that is wrong with the settings, each with its place; exit code 11 if there is something.

    Reads the files that the settings name, and looks for the health command's program. It opens nothing else, makes
    nothing, and calls nobody.

    \b
    Example:
      fwsm config check --config device.toml
    """
    problems = list(_problems(find(file, os.environ, given)))
    for problem in problems:
        document = {"event": "problem", "what": problem.what, "why": problem.why, "fix": problem.fix}
        output.data(document, "\n  ".join(part for part in (problem.what, problem.why, problem.fix) if part))
    if problems:
        count = "one setting is" if len(problems) == 1 else f"{len(problems)} settings are"
        raise ConfigError(f"{count} wrong", fix="Mend what is named above, then check again")
    output.data({"event": "checked", "problems": 0}, "the settings are fine")


@config.command()
@config_option
@setting_options
@json_option
@pass_output
def show(output: Output, /, file: Path | None, **given: Any) -> None:
    """Show every setting that holds, and where it comes from. What is printed is TOML; secrets are left out.

    \b
    Example:
      fwsm config show --config device.toml
    """
    found = find(file, os.environ, given)
    if found.problems:
        raise found.problems[0]
    settings = DeviceConfig(**found.values)
    for setting in fields(settings):
        place = _place(found, setting.name)
        value = _plain(getattr(settings, setting.name))
        if setting.name in SECRETS:
            document = {"setting": setting.name, "set": bool(value), "from": place}
            output.data(document, f"# {setting.name} is {'set, and not shown' if value else 'not set'}  # {place}")
        else:
            written = json.dumps(value, ensure_ascii=False)  # which TOML reads alike
            output.data(
                {"setting": setting.name, "value": value, "from": place}, f"{setting.name} = {written}  # {place}"
            )


def _problems(found: Found) -> Iterator[ConfigError]:
    """All of them: of single settings, of names that mean nothing, and of what the settings lead to."""
    from fwsm.device.assembly import objections  # noqa: PLC0415 - brings the SDK with it

    yield from found.problems
    yield from strays(os.environ)
    if not found.whole:  # who knows what else is set
        return
    told = " ".join(problem.what for problem in found.problems)
    for name, error in objections(DeviceConfig(**found.values)):
        if name not in told:  # what was left out because it is wrong is not missing
            place = found.places.get(name)
            yield ConfigError(f"{place}: {error.what}" if place else error.what, why=error.why, fix=error.fix)


def _place(found: Found, name: str) -> str:
    if name not in found.places:
        return "default"
    return found.places[name] or f"--{name.replace('_', '-')}"


def _plain(value: Any) -> Any:
    if isinstance(value, Path):
        return str(value)
    return list(value) if isinstance(value, tuple) else value
