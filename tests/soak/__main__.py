"""`make soak`: many updates of one device on a bad day; ends with 0 if all of them ended truthfully."""

from __future__ import annotations

import argparse
import random
import secrets
import shutil
import sys
import tempfile
import time
from pathlib import Path

from tests.soak.soak import Soak


def main() -> None:
    """Run it, print a line for each update and the figures at the end."""
    parser = argparse.ArgumentParser(prog="make soak")
    parser.add_argument("--updates", type=int, default=50, help="how many updates")
    parser.add_argument("--seed", type=int, default=random.randrange(1_000_000), help="repeats a run")
    chosen = parser.parse_args()
    print(f"{chosen.updates} updates; repeat with: make soak UPDATES={chosen.updates} SEED={chosen.seed}", flush=True)
    directory = Path(tempfile.mkdtemp(prefix="fwsm-soak-"))
    address = f"127.{1 + secrets.randbelow(100)}.{secrets.randbelow(256)}.{1 + secrets.randbelow(254)}"
    soak = Soak(directory, address, chosen.seed, chosen.updates, lambda line: print(line, flush=True))
    began_s = time.monotonic()
    try:
        soak.run()
    except Exception as error:
        print(f"everything is in {directory}", file=sys.stderr)
        if isinstance(error, AssertionError):
            sys.exit(f"error: {error}")
        raise
    shutil.rmtree(directory)
    for counted in (soak.ends, soak.acts):
        print("; ".join(f"{times} x {what}" for what, times in sorted(counted.items())))
    for name, readings in (("device", soak.device_readings), ("hub", soak.hub_readings)):
        lives = len({reading.life for reading in readings})
        print(f"{name}: {readings[0]} after the first update, {readings[-1]} after the last, in {lives} lives")
    print(f"all of it is true; {time.monotonic() - began_s:.0f} s")


if __name__ == "__main__":
    main()
