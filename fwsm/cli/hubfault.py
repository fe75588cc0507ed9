"""`fwsm hub fault`: let an embedded hub have a bad day."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any, Final

import click

from fwsm.cli.hubaccess import hub_access_options
from fwsm.cli.output import Output, json_option, pass_output
from fwsm.cli.values import Seconds
from fwsm.service import EFFECTS, OPERATIONS, require_client_id

if TYPE_CHECKING:
    from collections.abc import Callable

    from fwsm.cli.hubaccess import HubAccess

__all__ = ["fault"]


def _typed(name: str) -> str:
    """Return a name of the hub as it is typed: `reported-patch`, `cut-before-ack`."""
    return re.sub(r"(?<=[a-z])(?=[A-Z])", "-", name).replace(" ", "-").lower()


# What is typed -> what the hub calls it.
_OPERATIONS: Final = {_typed(name): name for name in OPERATIONS}
_EFFECTS: Final = {_typed(name): name for name in EFFECTS}


def _combinations() -> str:
    """Return the lines of the help that say which effect can strike what."""
    return "\n".join(
        f"  {_typed(operation):<15} {' '.join(_typed(effect) for effect in EFFECTS if effect in effects)}"
        for operation, effects in OPERATIONS.items()
    )


_ADD_HELP: Final = f"""Order that EFFECT strikes the next OPERATION of a device.

\b
  OPERATION       EFFECT, one of
{_combinations()}

What each of them does is in docs/reference/hub.md.
"""


@click.group(short_help="Order what is to go wrong on a hub that runs.")
def fault() -> None:
    """Order faults of a hub that runs: a device's next operation of a kind goes wrong as ordered.

    \b
    Examples:
      fwsm hub fault add reported-patch refuse --status 429 --times 3
      fwsm hub fault add connect delay --seconds 5 --device d1
      fwsm hub fault add reported-patch cut-before-ack
    """


def _on_hub(command: Callable[..., Any]) -> Callable[..., Any]:
    return hub_access_options(json_option(pass_output(command)))


@fault.command(help=_ADD_HELP)
@click.argument("operation", type=click.Choice(list(_OPERATIONS), case_sensitive=False), metavar="OPERATION")
@click.argument("effect", type=click.Choice(list(_EFFECTS), case_sensitive=False), metavar="EFFECT")
@click.option("--status", type=int, metavar="N", help="What `refuse` says: a twin status, or the code of a CONNACK.")
@click.option("--seconds", type=Seconds(0), metavar="S", help="How long `delay` lets it wait.")
@click.option(
    "--device", "device_id", metavar="ID", help="Strike this device and its modules only, or one module: d1/m1."
)
@click.option("--times", type=click.IntRange(1), default=1, show_default=True, metavar="N", help="Strike so often.")
@_on_hub
def add(
    out: Output,
    /,
    *,
    operation: str,
    effect: str,
    status: int | None,
    seconds: float | None,
    device_id: str | None,
    times: int,
    access: HubAccess,
) -> None:
    for name, value, owner in (("--status", status, "refuse"), ("--seconds", seconds, "delay")):
        if (value is None) == (effect == owner):
            raise click.UsageError(f"{owner} takes {name}." if value is None else f"{name} is for {owner} only.")
    if device_id is not None:
        require_client_id(device_id)
    order = {
        "operation": _OPERATIONS[operation],
        "effect": _EFFECTS[effect],
        "status": status,
        "seconds": seconds,
        "deviceId": device_id,
        "times": times,
    }
    with access.client(out) as client:
        _show(out, client.add_fault({name: value for name, value in order.items() if value is not None}))


@fault.command("list")
@_on_hub
def list_faults(out: Output, /, access: HubAccess) -> None:
    """Print the orders that will still strike, oldest first, one a line."""
    with access.client(out) as client:
        for order in client.faults():
            _show(out, order)


@fault.command()
@_on_hub
def clear(out: Output, /, access: HubAccess) -> None:
    """Forget all orders."""
    with access.client(out) as client:
        client.clear_faults()
        out.data({"event": "cleared"}, "no fault is ordered any more")


def _show(out: Output, order: dict[str, Any]) -> None:
    more = [f"{name} {order[name]}" for name in ("status", "seconds") if name in order]
    whose = order.get("deviceId") or "any device"
    words = (_typed(str(order.get("operation"))), _typed(str(order.get("effect"))), *more, f"of {whose}")
    out.data(order, f"{'  '.join(words)}  times left {order.get('timesLeft')}")
