"""What the documents claim: commands that exist, settings that are settings, links that lead somewhere."""

from __future__ import annotations

import re
import shlex
import tomllib
from dataclasses import fields
from pathlib import Path

import click
import pytest

from fwsm.cli import program
from fwsm.config import DeviceConfig, load
from fwsm.core.request import METHOD, parse_request
from fwsm.core.twin import section
from fwsm.core.update import Request, State, Update
from fwsm.device.commands import BUILT_IN

ROOT = Path(__file__).parents[1]
PAGES = sorted([*ROOT.glob("*.md"), *(ROOT / "docs").rglob("*.md")])
SDK = (ROOT / "docs" / "reference" / "sdk.md").read_text()
SETTINGS = (ROOT / "docs" / "reference" / "settings.md").read_text()
WIRE = (ROOT / "docs" / "reference" / "wire.md").read_text()


def _commands() -> list[tuple[str, str]]:
    """Every call of `fwsm` in a console block, with the page it stands on."""
    found = []
    for page in PAGES:
        for block in re.findall(r"```(?:console|sh|bash)\n(.*?)```", page.read_text(), re.DOTALL):
            for line in block.splitlines():
                text = re.split(r"#| 2?>| [&|]", line.removeprefix("$ "))[0].strip()  # what the shell does is not ours
                if text.startswith("fwsm "):
                    found.append((page.name, text))
    return found


@pytest.mark.parametrize(("page", "text"), _commands())
def test_every_command_in_the_documents_is_understood(page: str, text: str) -> None:
    """Group by group down to the command, each option is one that it takes."""
    command: click.Command = program
    words = shlex.split(text)[1:]
    context = click.Context(program, info_name="fwsm", **program.context_settings)
    while isinstance(command, click.Group):
        name = words.pop(0)
        found = command.get_command(context, name)
        assert found is not None, f"{page}: {name}"
        command = found
    command.make_context(words[0] if words else "", words, parent=context, resilient_parsing=False)


def test_the_page_of_settings_lists_each_with_its_default() -> None:
    """None is missing, none is made up."""
    rows = dict(re.findall(r"^\| `(\w+)` \| ([^|]+) \|", SETTINGS, re.MULTILINE))
    assert list(rows) == [setting.name for setting in fields(DeviceConfig)]
    default = DeviceConfig()
    for name, shown in rows.items():
        value = getattr(default, name)
        if shown == "none":
            assert not value, name
        elif isinstance(value, bool):
            assert shown == str(value).lower(), name
        elif isinstance(value, int | float):
            assert float(shown) == value, name
        else:
            assert shown == str(value), name


def test_the_example_of_settings_is_one(tmp_path: Path) -> None:
    """The TOML on the page loads."""
    (example,) = re.findall(r"```toml\n(.*?)```", SETTINGS, re.DOTALL)
    file = tmp_path / "fwsm.toml"
    file.write_text(example)
    config = load(file, {}, {})
    assert config.soak_s == tomllib.loads(example)["soak_s"]


def test_the_page_of_the_sdk_names_tests_that_exist() -> None:
    """In each row but those that say that there is nothing to test."""
    rows = [
        line for line in SDK.splitlines() if line.startswith("|") and not line.startswith(("|---", "| what happens"))
    ]
    named = [re.findall(r"`([\w/]+\.py)::(\w+)`", row) for row in rows]
    assert [row for row, tests in zip(rows, named, strict=True) if not tests and "CONNACK 1 |" not in row] == []
    for file, name in {test for tests in named for test in tests}:
        path = ROOT / file if "/" in file else ROOT / "tests" / "device" / "iothub" / file
        assert f"\ndef {name}(" in path.read_text(), f"{file}::{name}"


def test_the_page_of_the_wire_names_what_goes_over_it() -> None:
    """Every property that is reported, every field that is taken, every status."""
    update = Update(id="u", request=Request("https://h/f"), state=State.WAITING, boot_id="b")
    for name in (*section(update), "lastFirmwareUpdate", *(state.status for state in State), METHOD):
        assert f"`{name}`" in WIRE, name
    fields_taken = re.findall(r"^\| `(\w+)` \| (?:must|may) \|", WIRE, re.MULTILINE)
    values = {"fwPackageUri": "https://h/f", "fwPackageCheckValue": "0" * 64, "fwVersion": "1"}
    for name in BUILT_IN:
        assert f"`{name}`" in WIRE, name
    assert parse_request({name: values[name] for name in fields_taken}) == Request("https://h/f", "0" * 64, "1")


@pytest.mark.parametrize("page", PAGES, ids=lambda page: page.name)
def test_every_link_to_a_file_leads_to_one(page: Path) -> None:
    """Links within the repository."""
    text = re.sub(r"```.*?```", "", page.read_text(), flags=re.DOTALL)
    for target in re.findall(r"\]\(([^)#]+)[^)]*\)", text):
        if "://" not in target:
            assert (page.parent / target).exists(), target
