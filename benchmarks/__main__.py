"""`make bench`: ratios against peers, measured in this run, on this machine.

Only ratios mean anything, and only within one run: every figure comes from rounds that take turns with the peer's.
What other programs do on the machine makes rounds slower and never faster, so what takes milliseconds is compared by
its fastest round; a download, which takes seconds, by its median. Nothing here is asserted by a test.
"""

from __future__ import annotations

import sys
from pathlib import Path

sys.path.insert(0, str(Path(__file__).parent))

import download
import durable
import footprint
import hub


def main() -> None:
    """Run what was named on the command line, or everything."""
    parts = {"durable": durable.run, "download": download.run, "footprint": footprint.run, "hub": hub.run}
    chosen = sys.argv[1:] or list(parts)
    unknown = set(chosen) - set(parts)
    if unknown:
        sys.exit(f"unknown: {', '.join(sorted(unknown))}. Known are {', '.join(parts)}")
    for name in chosen:
        print(f"\n== {name}")
        for line in parts[name]():
            print(f"   {line}")


if __name__ == "__main__":
    main()
