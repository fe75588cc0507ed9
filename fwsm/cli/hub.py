"""`fwsm hub`: run an IoT Hub on this machine, and keep its registry. Its events and faults have files of their own."""

from __future__ import annotations

import shlex
import signal
from contextlib import ExitStack, suppress
from itertools import combinations
from typing import TYPE_CHECKING, Any, Final

import click

from fwsm.cli.hubaccess import hub_access_options, state_option
from fwsm.cli.hubauthority import authority
from fwsm.cli.hubcard import default_state
from fwsm.cli.hubevents import events
from fwsm.cli.hubfault import fault
from fwsm.cli.hublog import log_of_hub_shown
from fwsm.cli.options import CA_FILE, CONNECTION_STRING
from fwsm.cli.output import Output, json_option, pass_output
from fwsm.errors import ConfigError, DeviceNotFoundError
from fwsm.service import require_device_id

if TYPE_CHECKING:
    from collections.abc import Callable
    from pathlib import Path

    from fwsm.cli.hubaccess import HubAccess
    from fwsm.hub import Device, Hub
    from fwsm.service import Identity

__all__ = ["hub"]

_PORT: Final = click.IntRange(1, 65535)
_ENDING: Final = frozenset({signal.SIGINT, signal.SIGTERM, signal.SIGHUP})


@click.group()
def hub() -> None:
    """Run an IoT Hub on this machine, and register devices with it.

    \b
    Examples:
      fwsm hub run --device d1
      fwsm hub run --address 127.0.0.2 --ephemeral --json
      fwsm hub device add d2
      fwsm hub events --device d1
    """


hub.add_command(authority)
hub.add_command(events)
hub.add_command(fault)


@hub.command()
@click.option("--address", default="127.0.0.1", show_default=True, help="An address of 127.0.0.0/8, or ::1.")
@click.option("--port", default=8443, show_default=True, type=_PORT, help="The operators' port, and WebSocket's.")
@click.option("--mqtt-port", default=8883, show_default=True, type=_PORT, help="The devices' port; SDKs dial 8883.")
@click.option("--socks-port", type=_PORT, help="A SOCKS5 door, by which SDKs find the other ports.")
@click.option("--allow-remote", is_flag=True, help="Let --address be one that other machines reach.")
@state_option
@click.option("--ephemeral", is_flag=True, help="Remember nothing; needs no directory.")
@click.option("--device", "devices", multiple=True, metavar="ID", help="Register this device; may be repeated.")
@click.option("-v", "--verbose", is_flag=True, help="Say who connects, who is refused, and why connections end.")
@json_option
@pass_output
def run(
    out: Output,
    /,
    *,
    state: Path | None,
    ephemeral: bool,
    devices: tuple[str, ...],
    verbose: bool,
    **options: Any,
) -> None:
    """Run a hub, and print what devices and operators need. It ends with Ctrl-C, SIGTERM or its terminal."""
    if ephemeral and state:
        raise click.UsageError("--ephemeral and --state exclude each other.")
    _check_ports(options)
    for device_id in devices:
        require_device_id(device_id)
    hung_up = signal.getsignal(signal.SIGHUP)
    ending = _ENDING - {signal.SIGHUP} if hung_up is signal.SIG_IGN else _ENDING  # so that nohup keeps it
    blocked = signal.pthread_sigmask(signal.SIG_BLOCK, ending)  # the hub's thread must not get them either
    try:
        with ExitStack() as until_the_end:
            if verbose:
                until_the_end.enter_context(log_of_hub_shown(out))
            running = until_the_end.enter_context(
                _hub(state=None if ephemeral else state or default_state(), **options)
            )
            _show_ready(out, running, [_registered(running, device_id) for device_id in dict.fromkeys(devices)])
            signal.sigwait(ending)
    finally:
        signal.pthread_sigmask(signal.SIG_SETMASK, blocked)
    with suppress(OSError):  # the terminal may have gone
        out.say("the hub has stopped")


def _check_ports(options: dict[str, Any]) -> None:
    for one, other in combinations(("port", "mqtt_port", "socks_port"), 2):
        if options[one] == options[other]:
            names = " and ".join(f"--{name.replace('_', '-')}" for name in (one, other))
            raise click.UsageError(f"{names} are both {options[one]}; each takes a port of its own.")


@hub.group(short_help="Keep the registry of a hub.")
def device() -> None:
    """Keep the registry of a hub: the one that runs on --state, or that --connection-string names."""


def _on_hub(command: Callable[..., Any]) -> Callable[..., Any]:
    return hub_access_options(json_option(pass_output(command)))


@device.command("add")
@click.argument("device_id", metavar="DEVICE")
@click.option("--thumbprint", metavar="HEX", help="SHA-1 or SHA-256 of the device's certificate; it has no key then.")
@click.option("--by-authority", is_flag=True, help="It shows a certificate that an authority of the hub has signed.")
@_on_hub
def add(
    out: Output,
    /,
    *,
    device_id: str,
    thumbprint: str | None,
    by_authority: bool,
    access: HubAccess,
) -> None:
    """Register DEVICE and print its connection string. A module of d1 is d1/m1, here and in `show` and `remove`."""
    if thumbprint is not None and by_authority:
        raise click.UsageError("--thumbprint and --by-authority exclude each other.")
    with access.client(out) as client:
        added = client.add_device(device_id, thumbprint=thumbprint, by_authority=by_authority)
        out.say(f"{device_id} is registered")
        _show(out, added)


@device.command("show")
@click.argument("device_id", metavar="DEVICE")
@_on_hub
def show(out: Output, /, *, device_id: str, access: HubAccess) -> None:
    """Print the connection string of DEVICE."""
    with access.client(out) as client:
        _show(out, client.device(device_id))


@device.command("list")
@_on_hub
def list_devices(out: Output, /, *, access: HubAccess) -> None:
    """Print all devices, one a line, without their keys."""
    with access.client(out) as client:
        for identity in client.devices():
            facts = _facts(identity)
            out.data(facts, f"{identity.device_id}  {_words(identity)}")


@device.command("remove")
@click.argument("device_id", metavar="DEVICE")
@_on_hub
def remove(out: Output, /, *, device_id: str, access: HubAccess) -> None:
    """Delete DEVICE and its twin."""
    with access.client(out) as client:
        client.remove_device(device_id)
        out.data({"event": "removed", "deviceId": device_id}, f"{device_id} is removed")


@hub.command()
@click.argument("device_id", metavar="DEVICE")
@click.argument("text")
@_on_hub
def send(out: Output, /, *, device_id: str, text: str, access: HubAccess) -> None:
    """Send DEVICE a message with TEXT, which waits until it is taken. IoT Hub itself wants AMQP for that."""
    with access.client(out) as client:
        client.send_message(device_id, text)
        out.data({"event": "queued", "deviceId": device_id}, f"the message to {device_id} is queued")


def _hub(*, port: int, **options: Any) -> Hub:
    try:
        from fwsm.hub import Hub  # noqa: PLC0415 - needs the extra `hub`
    except ModuleNotFoundError as error:
        missing = (error.name or "").partition(".")[0]
        if missing == "fwsm":
            raise  # a bug, and no pip will cure it
        raise ConfigError(
            "the embedded hub is not installed",
            why=f"the package {missing} is missing",
            fix="Run: pip install 'fwsm[hub]'",
        ) from error
    return Hub(rest_port=port, **options)


def _registered(running: Hub, device_id: str) -> Device:
    try:
        return running.device(device_id)
    except DeviceNotFoundError:
        return running.add_device(device_id)


def _show_ready(out: Output, running: Hub, devices: list[Device]) -> None:
    variables = {
        CONNECTION_STRING: running.owner_connection_string,
        CA_FILE: str(running.ca_path),
        **running.environment,
    }
    document = {
        "event": "ready",
        "address": running.address,
        "mqttPort": running.mqtt_port,
        "restPort": running.rest_port,
        "socksPort": running.ports.socks,
        "caPath": str(running.ca_path),
        "ownerConnectionString": running.owner_connection_string,
        "serviceConnectionString": running.service_connection_string,
        "devices": [{"deviceId": device.device_id, "connectionString": device.connection_string} for device in devices],
        "environment": variables,
    }
    out.data(document, _ready_text(running, devices, variables), keys=True)


def _ready_text(running: Hub, devices: list[Device], variables: dict[str, str]) -> str:
    exports = {name: _export(name, value) for name, value in variables.items()}
    operators, ca_file = exports.pop(CONNECTION_STRING), exports.pop(CA_FILE)
    socks = f", SOCKS5 port {running.ports.socks}" if running.ports.socks else ""
    lines = [
        f"hub on {running.address}: devices port {running.mqtt_port}, operators port {running.rest_port}{socks}",
        f"CA  {running.ca_path}",
        *(f"device {device.device_id}  {device.connection_string}" for device in devices),
        "",
    ]
    proxy = variables.get("mqtt_proxy", "").replace("socks://", "socks5://")  # as the device's setting has it
    for device in devices:
        lines.append(f"For `fwsm device run` as {device.device_id}, in another terminal:")
        lines += [_export("FWSM_CONNECTION_STRING", device.connection_string), ca_file]
        lines += [_export("FWSM_PROXY", proxy)] if proxy else []
    lines += ["For operators, `fwsm trigger` and the like:", operators, ca_file]
    lines += ["For unmodified SDKs and other programs (Python, requests, Node):", *exports.values()]
    return "\n".join(lines)


def _export(name: str, value: str) -> str:
    return f"  export {name}={shlex.quote(value)}"


def _facts(identity: Identity) -> dict[str, Any]:
    module = {} if identity.module_id is None else {"moduleId": identity.module_id}
    return {"deviceId": identity.device_id, **module, "enabled": identity.enabled, "connected": identity.connected}


def _words(identity: Identity) -> str:
    return ("connected" if identity.connected else "not connected") + ("" if identity.enabled else ", disabled")


def _show(out: Output, identity: Identity) -> None:
    text = identity.connection_string or f"the hub does not show the key of {identity.device_id}"
    out.data(_facts(identity) | {"connectionString": identity.connection_string}, text, keys=True)
