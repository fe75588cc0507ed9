"""What the disk alone takes: the report of each state appended to a file, and the file synced."""

from __future__ import annotations

import os

from turns import given, take_turns


def main() -> None:
    """Take turns until the input ends."""
    folder, recorded, _ = given()
    reports = [commit["history"]["report"].encode() for commit in recorded["commits"]]
    file = os.open(folder / "reports.log", os.O_WRONLY | os.O_CREAT | os.O_APPEND, 0o600)

    def update() -> None:
        for report in reports:
            os.write(file, report)
            os.fdatasync(file)

    take_turns(update)
    os.close(file)


if __name__ == "__main__":
    main()
