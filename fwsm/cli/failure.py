"""How a command ends when it cannot go on: a message and an exit code, never a traceback.

The codes are documented in docs/reference/exit-codes.md.
"""

from __future__ import annotations

import contextlib
import io
import os
import sys
import traceback
from typing import TYPE_CHECKING, Final

import click

from fwsm.errors import FwsmError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fwsm.cli.output import Output

__all__ = ["BUG", "INTERRUPTED", "READER_GONE", "reported_failures"]

BUG: Final = 1
INTERRUPTED: Final = 130  # 128 + SIGINT, as shells have it
READER_GONE: Final = 141  # 128 + SIGPIPE


@contextlib.contextmanager
def reported_failures(output: Output) -> Iterator[None]:
    """Turn whatever ends the command into a message and an exit code; a usage error is told in click's words."""
    try:
        yield
    except (click.exceptions.Exit, click.exceptions.Abort):
        raise
    except click.ClickException as misuse:
        shown = io.StringIO()
        misuse.show(shown)
        output.say(shown.getvalue().rstrip("\n"))  # through the gate: it quotes what was typed
        output.report(
            {"code": "usage", "what": misuse.format_message(), "why": "", "fix": "", "exitCode": misuse.exit_code}
        )
        raise click.exceptions.Exit(misuse.exit_code) from misuse
    except FwsmError as error:
        output.fail(error)
        raise click.exceptions.Exit(error.exit_code) from error
    except KeyboardInterrupt as interrupt:
        output.say("interrupted")
        raise click.exceptions.Exit(INTERRUPTED) from interrupt
    except BrokenPipeError as broken:
        # Python would flush stdout once more at its end, and complain.
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())
        raise click.exceptions.Exit(READER_GONE) from broken
    except Exception as error:
        if os.environ.get("FWSM_DEBUG") == "1":
            output.say(traceback.format_exc())
        output.fail(_bug(error))
        raise click.exceptions.Exit(BUG) from error


def _bug(error: Exception) -> FwsmError:
    return FwsmError(
        "this should not have happened",
        why=f"{type(error).__name__}: {error}",
        fix="Run it again with FWSM_DEBUG=1 and report what you see",
    )
