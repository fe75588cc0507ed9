"""What a device is doing and why, what may come of it, and what a person can do: in plain words, from its database.

What may come of it is read off the table that runs, so it cannot say anything else than what will happen.
"""

from __future__ import annotations

import inspect
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

from fwsm.core.lifecycle import NO_EXTENSION, Trigger
from fwsm.core.twin import section
from fwsm.core.update import State
from fwsm.errors import Kind

if TYPE_CHECKING:
    from collections.abc import Callable, Mapping, Sequence

    from fwsm.core.lifecycle import Extension, Row
    from fwsm.core.update import Update
    from fwsm.store import HistoryRow, Incident

__all__ = ["Explanation", "explain", "in_a_line", "trouble_lines", "troubles"]

_DOING: Final = {
    State.WAITING: "It has an update, and waits until it may load the image.",
    State.DOWNLOADING: "It loads the image.",
    State.DOWNLOAD_COMPLETE: "The image is on its disk, whole and proved; it waits until it may install it.",
    State.DOWNLOAD_FAILED: "The update has ended before anything was installed; the device runs what it ran.",
    State.INSTALLING: "It writes the image into its place. What runs now is not touched.",
    State.REBOOTING: "The image is installed; the device reboots into it.",
    State.CONFIRMING: "The new firmware runs on trial, and has to prove that it works.",
    State.ROLLING_BACK: "The new firmware will not do; the device goes back to the old one.",
    State.APPLY_COMPLETE: "The update is done: the new firmware runs, and has proved that it works.",
    State.APPLY_FAILED: "The update has failed, and the device is left with what runs now.",
}
_REASONS: Final = {
    "delay": "the setting delay_s lets each update wait a while",
    "window": "images are applied in the maintenance window only",
    "retry": "a try did not work, and the next one comes after a pause",
    "policyFailed": "the policy raised an error, and is asked again",
}
_FACTS: Final = {
    Trigger.POLICY_ALLOWED: "the policy lets it go on",
    Trigger.POLICY_DEFERRED: "the policy makes it wait",
    Trigger.FOUND_RUNNING: "the image turns out to run already",
    Trigger.DOWNLOAD_VERIFIED: "the image is loaded and proved",
    Trigger.DOWNLOAD_FAILED: "the download fails",
    Trigger.ARTIFACT_DAMAGED: "the file on the disk is damaged",
    Trigger.INSTALLED: "the image is installed",
    Trigger.INSTALL_FAILED: "the installation fails",
    Trigger.REBOOT_OVERDUE: "the reboot does not come",
    Trigger.HEALTH_CONFIRMED: "the health checks hold for long enough",
    Trigger.HEALTH_FAILED: "the health checks do not hold in time",
    Trigger.ROLLED_BACK: "the old firmware runs again",
    Trigger.ROLLBACK_FAILED: "going back fails",
    Trigger.RESTARTED: "the program comes back",
    Trigger.CANCELLED: "somebody cancels it",
    Trigger.SUPERSEDED: "another update is asked for",
    Trigger.RETRY_REQUESTED: "somebody asks for another try",
    Trigger.STEP_DONE: "the step is done",
    Trigger.STEP_FAILED: "the step fails",
}
_FAILURES: Final = frozenset(
    {
        Trigger.DOWNLOAD_FAILED,
        Trigger.ARTIFACT_DAMAGED,
        Trigger.INSTALL_FAILED,
        Trigger.REBOOT_OVERDUE,
        Trigger.HEALTH_FAILED,
        Trigger.ROLLBACK_FAILED,
        Trigger.STEP_FAILED,
    }
)
_HELP: Final = {
    Kind.TRANSIENT: "Time may help: ask for another try with the method firmwareUpdateRetry.",
    Kind.PERMANENT: "Another try would end alike: mend the image or the request, and send a new one.",
    Kind.NEEDS_OPERATOR: "Mend what the error names, then ask for another try with the method firmwareUpdateRetry.",
}
_MOST_TROUBLES: Final = 5


@dataclass(frozen=True, slots=True)
class Explanation:
    """All of it.

    Attributes:
        doing: what it does.
        why: why it waits, or what went wrong, in sentences.
        until: till when it waits, as the twin has it; None if that is not known, or if it does not wait.
        following: the rows of the table for this state, in the order in which they are tried.
        troubles: what last went wrong, oldest first.
        advice: what a person can do.
    """

    doing: str
    why: tuple[str, ...]
    until: str | None
    following: tuple[dict[str, Any], ...]
    troubles: tuple[dict[str, str], ...]
    advice: tuple[str, ...]

    def document(self, update: Update) -> dict[str, Any]:
        """For programs."""
        return {
            "updateId": update.id,
            "state": update.state.value,
            "doing": self.doing,
            "why": list(self.why),
            "until": self.until,
            "next": list(self.following),
            "troubles": list(self.troubles),
            "advice": list(self.advice),
        }

    def text(self, update: Update) -> str:
        """For people."""
        lines = [f"Update {update.id} is in state {update.state.value}.", self.doing, *self.why]
        if self.until:
            lines.append(f"It waits until {self.until}.")
        lines += _block("What may happen next, in this order of trial:", [_row_text(row) for row in self.following])
        lines += trouble_lines(self.troubles)
        lines += _block("What you can do:", self.advice)
        return "\n".join(lines)


def explain(
    update: Update,
    history: Sequence[HistoryRow],
    incidents: Sequence[Incident],
    extension: Extension = NO_EXTENSION,
) -> Explanation:
    """Explain an update.

    Args:
        update: as it stands on disk.
        history: its entries into states.
        incidents: what went wrong beside it.
        extension: what the device's program adds to the lifecycle; a database does not tell.
    """
    rows = [row for row in extension.table if row.source is update.state and row.target is not None]
    return Explanation(
        doing=_DOING.get(update.state, f"It carries out the step {update.state.substatus} of the program's own."),
        why=tuple(_why(update)),
        until=section(update)["until"],
        following=tuple(map(_row, rows)),
        troubles=tuple(troubles(history, incidents)),
        advice=tuple(_advice(update, extension)),
    )


def troubles(history: Sequence[HistoryRow], incidents: Sequence[Incident]) -> list[dict[str, str]]:
    """What last went wrong in these entries, and beside them; oldest first."""
    befores = [None, *history]
    failures = [
        (row.at, row.failure_code, f"{row.trigger} in state {row.source}")
        for row, before in zip(history, befores, strict=False)
        if row.failure_code and _is_new_failure(row, before)
    ]
    beside = [(each.at, each.code, each.message) for each in incidents]
    newest = sorted(failures + beside)[-_MOST_TROUBLES:]
    return [{"at": at.isoformat(), "code": code, "what": what} for at, code, what in newest]


def trouble_lines(troubles: Sequence[Mapping[str, str]]) -> list[str]:
    """The same for people; nothing if nothing went wrong."""
    entries = [f"{each['at'][:19]}Z  {each['code']}: {each['what']}" for each in troubles]
    return _block("What went wrong, newest last:", entries)


def in_a_line(update: Update | None) -> str:
    """What the device is doing, as short as can be."""
    if update is None:
        return "no update yet"
    parts = [f"update {update.id[:8]}: {update.state.value}"]
    if update.reason:
        parts.append(f"waits ({update.reason})")
    if update.state is State.DOWNLOADING and update.progress and update.progress.percent is not None:
        parts.append(f"{update.progress.percent} % at the last entry")
    if update.failure:
        parts.append(update.failure.code)
    return ", ".join(parts)


def _block(title: str, entries: Sequence[str]) -> list[str]:
    return ["", title, *(f"  - {entry}" for entry in entries)] if entries else []


def _why(update: Update) -> list[str]:
    sentences = []
    if update.reason and not update.state.settled:
        sentences.append(f"It waits because {_REASONS.get(update.reason, f'the policy says: {update.reason}')}.")
    if update.failure:
        sentences.append(f"What went wrong: {update.failure.message} ({update.failure.code}).")
    if update.rolled_back:
        sentences.append("The old firmware runs again.")
    if update.attempt > 1 and not update.state.settled:
        sentences.append(f"This is try {update.attempt} in this state.")
    if update.resumed:
        sentences.append(f"It went on after {update.resumed} restart{'s' if update.resumed > 1 else ''}.")
    return sentences


def _row(row: Row) -> dict[str, Any]:
    return {
        "trigger": row.trigger.value,
        "when": _FACTS[row.trigger],
        "if": [_meaning(guard) for guard in row.guards],
        "state": row.target.value if row.target else None,
    }


def _meaning(guard: Callable[..., bool]) -> str:
    return (inspect.getdoc(guard) or guard.__name__).partition("\n")[0].rstrip(".")


def _row_text(row: dict[str, Any]) -> str:
    conditions = f" (if: {'; '.join(row['if'])})" if row["if"] else ""
    return f"when {row['when']}: {row['state']}{conditions}"


def _is_new_failure(row: HistoryRow, before: HistoryRow | None) -> bool:
    """Not so if the entry only carries on what had gone wrong before, as those of a rollback do."""
    if before is None or (before.update_id, before.failure_code) != (row.update_id, row.failure_code):
        return True
    return row.trigger in _FAILURES


def _advice(update: Update, extension: Extension) -> list[str]:
    if update.state not in extension.states:
        return [*_own_advice(update), "To see what may follow on this step, name the program's extension: --extension."]
    return _own_advice(update)


def _own_advice(update: Update) -> list[str]:
    if update.state is State.APPLY_COMPLETE:
        return ["Nothing: it waits for the next update."]
    if update.state.settled:
        return [_HELP[update.failure.kind if update.failure else Kind.TRANSIENT]]
    if update.state.interruptible:
        advice = ["Cancel it with the method firmwareUpdateCancel, or send another update, which takes its place."]
        if update.reason == "window":
            advice.append("Change the setting window if it should be applied sooner, and restart the agent.")
        if update.failure and update.failure.kind is not Kind.TRANSIENT:
            advice.append(_HELP[update.failure.kind])
        return advice
    return ["Wait: from here on it cannot be cancelled, and a new update is refused until this one has settled."]
