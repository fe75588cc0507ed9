"""The card that a hub leaves in its directory: how a program beside it reaches it as its owner.

Read as the file it is, so that commands which only talk to a hub do not need the packages that run one.
"""

from __future__ import annotations

import json
import os
from pathlib import Path

from fwsm.errors import HubUnreachableError

__all__ = ["default_state", "owner"]


def default_state() -> Path:
    """Return the directory of the hub that was given none: in XDG_STATE_HOME, else ~/.local/state."""
    home = os.environ.get("XDG_STATE_HOME")
    return (Path(home) if home else Path.home() / ".local" / "state") / "fwsm" / "hub"


def owner(state: Path) -> tuple[str, str]:
    """Return the owner's connection string and the CA file of the hub that runs on a directory.

    Raises:
        HubUnreachableError: none does.
    """
    try:
        card = json.loads((state / "hub.json").read_bytes())
        return str(card["ownerConnectionString"]), str(card["caPath"])
    except (OSError, ValueError, KeyError, TypeError) as error:
        raise HubUnreachableError(
            f"no hub runs on {state}",
            why=getattr(error, "strerror", None) or "its card hub.json cannot be read",
            fix="Start it with `fwsm hub run`, name its directory with --state, or pass --connection-string",
        ) from error
