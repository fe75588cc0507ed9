"""`fwsm hub authority`: the certificate authorities that name devices to an embedded hub."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Any, Final

import click

from fwsm.cli.hubaccess import hub_access_options
from fwsm.cli.output import Output, json_option, pass_output
from fwsm.errors import ConfigError

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.cli.hubaccess import HubAccess

__all__ = ["authority"]

# What a hub takes in a request is hardly more.
_MOST_CHARS: Final = 200_000


@click.group(short_help="Let devices in by certificates of an authority of yours.")
def authority() -> None:
    """Let devices come with certificates that an authority of yours has signed for their names.

    \b
    Examples:
      fwsm hub authority add factory ca.pem
      fwsm hub authority code factory           # have the authority sign a certificate for it
      fwsm hub authority verify factory proof.pem
      fwsm hub device add meter-7 --by-authority
    """


def _on_hub(command: Callable[..., Any]) -> Callable[..., Any]:
    return hub_access_options(json_option(pass_output(command)))


@authority.command(short_help="Register an authority by its certificate in FILE.")
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@click.option("--verified", is_flag=True, help="Trust it at once, without a proof that you hold its key.")
@_on_hub
def add(out: Output, /, *, name: str, file: Path, verified: bool, access: HubAccess) -> None:
    """Register the authority whose certificate, in PEM, is in FILE, and call it NAME."""
    pem = _text(file)
    with access.client(out) as client:
        _show(out, client.put_authority(name, pem, verified=verified))
    if not verified:
        out.say(f"it signs nobody in before you prove that you hold its key: fwsm hub authority code {name}")


@authority.command()
@click.argument("name")
@_on_hub
def code(out: Output, /, *, name: str, access: HubAccess) -> None:
    """Print a new code that proves who holds the authority's key.

    Have the authority sign a certificate with this code as its common name, and give it to `verify`. Each code takes
    the place of the one before.
    """
    with access.client(out) as client:
        new = client.verification_code(name)
        out.data({"name": name, "verificationCode": new}, new)


@authority.command(short_help="Trust an authority that has signed its code.")
@click.argument("name")
@click.argument("file", type=click.Path(dir_okay=False, path_type=Path))
@_on_hub
def verify(out: Output, /, *, name: str, file: Path, access: HubAccess) -> None:
    """Trust an authority that has signed the certificate in FILE for its code."""
    pem = _text(file)
    with access.client(out) as client:
        _show(out, client.verify_authority(name, pem))


@authority.command("list")
@_on_hub
def list_authorities(out: Output, /, *, access: HubAccess) -> None:
    """Print the authorities, one a line."""
    with access.client(out) as client:
        for found in client.authorities():
            _show(out, found)


@authority.command()
@click.argument("name")
@_on_hub
def remove(out: Output, /, *, name: str, access: HubAccess) -> None:
    """Trust an authority no longer. Devices that are connected stay."""
    with access.client(out) as client:
        client.remove_authority(name)
        out.data({"event": "removed", "name": name}, f"{name} is removed")


def _text(file: Path) -> str:
    try:
        with file.open() as opened:
            text = opened.read(_MOST_CHARS + 1)
    except OSError as error:
        raise ConfigError(f"{file} cannot be read", why=error.strerror or str(error)) from error
    except UnicodeDecodeError as error:
        raise ConfigError(f"{file} is no certificate in PEM", why="it is not text") from error
    if len(text) > _MOST_CHARS:
        raise ConfigError(f"{file} is no certificate in PEM", why=f"it is longer than {_MOST_CHARS} characters")
    return text


def _show(out: Output, found: dict[str, Any]) -> None:
    trust = "" if found.get("isVerified") else "  not verified"
    out.data(found, f"{found.get('name')}  {found.get('subject')}  until {found.get('expiry')}{trust}")
