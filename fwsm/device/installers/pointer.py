"""The boot pointer as a value, and every move it can make. Pure.

It says what a boot loader must know: which slot to boot, which one to try first and how often still, and what is in
each slot. The model is U-Boot's boot count with RAUC's slot marks.

Three rules hold in every pointer that a move returns:

- the slot that runs is never marked as being written, and neither is the primary one;
- there is a trial only of a slot whose image was read back, and each boot into it costs a try;
- a slot that is to be written loses its mark first, so no boot finds half an image behind a good mark.

On disk it is one line with the SHA-256 of what follows, and then JSON. Whatever is torn, cut off or flipped in it
shows, and the file counts as not there.
"""

from __future__ import annotations

import enum
import hashlib
import json
from dataclasses import asdict, dataclass, field, replace
from typing import TYPE_CHECKING, Any, Final, Self

from fwsm.core.update import Artifact

if TYPE_CHECKING:
    from collections.abc import Mapping

__all__ = ["BootPointer", "Mark", "Slot", "other"]

_OTHER: Final = {"a": "b", "b": "a"}


class Mark(enum.StrEnum):
    """What is known of a slot. The values are stored; they never change."""

    EMPTY = "empty"  # nothing was ever put there
    WRITING = "writing"  # an installation has begun; whatever is there is not to be booted
    TRIAL = "trial"  # the image was read back and activated, and has not proved itself yet
    GOOD = "good"  # it ran and was confirmed
    BAD = "bad"  # it was rolled back, its tries ran out, or it rotted


@dataclass(frozen=True, slots=True, kw_only=True)
class Slot:
    """What is in a slot.

    Attributes:
        mark: what is known of it.
        image: digest and size of the image that is there, or being written; None if there never was one.
        version: the operator's name for it; None if not given.
        update_id: the update that brought it; None for the factory's image.
    """

    mark: Mark = Mark.EMPTY
    image: Artifact | None = None
    version: str | None = None
    update_id: str | None = None

    @property
    def bootable(self) -> bool:
        """Whether a whole image was once there; only reading it shows whether it still is."""
        return self.mark not in {Mark.EMPTY, Mark.WRITING}


@dataclass(frozen=True, slots=True, kw_only=True)
class BootPointer:
    """What the boot loader knows.

    Attributes:
        boot_id: names the present boot.
        booted: the slot that runs, "a" or "b".
        primary: the slot that is booted when there is no trial.
        slots: what is in "a" and "b".
        trial: the slot to try first; None for none.
        tries_left: how many boots the trial still has.
        sequence: counts writes, so that the newer of two copies is known.
    """

    boot_id: str
    booted: str
    primary: str
    slots: Mapping[str, Slot]
    trial: str | None = None
    tries_left: int = 0
    sequence: int = field(default=0, compare=False)

    # Looking.

    def slot_of(self, update_id: str) -> str | None:
        """The slot that holds what an update brought, the running one first; None if there is none."""
        for name in (self.booted, other(self.booted)):
            if self.slots[name].update_id == update_id:
                return name
        return None

    @property
    def settled(self) -> bool:
        """Whether what runs is also what the next boot falls back to."""
        return self.booted == self.primary

    @property
    def candidates(self) -> tuple[str, ...]:
        """The slots in the order in which the next boot tries them.

        The last is better than nothing: an image that was marked bad may still bring up the network.
        """
        first = [self.trial] if self.trial is not None and self.tries_left > 0 else []
        order = dict.fromkeys([*first, self.primary, other(self.primary)])
        return tuple(name for name in order if self.slots[name].bootable)

    # Moves.

    def writing(self, name: str, content: Slot) -> Self:
        """An installation into a slot begins."""
        return self._with(name, replace(content, mark=Mark.WRITING), trial=None, tries_left=0)

    def activated(self, name: str, tries: int) -> Self:
        """The image in a slot was read back and shall be tried."""
        return self._with(name, replace(self.slots[name], mark=Mark.TRIAL), trial=name, tries_left=tries)

    def confirmed(self) -> Self:
        """What runs has proved itself."""
        content = replace(self.slots[self.booted], mark=Mark.GOOD)
        return self._with(self.booted, content, primary=self.booted, trial=None, tries_left=0)

    def rolled_back(self, name: str) -> Self:
        """The image in a slot shall not be booted any more; a half-written one stays what it is."""
        content = self.slots[name]
        mark = Mark.BAD if content.bootable else content.mark
        return self._with(name, replace(content, mark=mark), primary=other(name), trial=None, tries_left=0)

    def after_boot(self, name: str, boot_id: str) -> Self:
        """A slot was booted. What was passed over for it is bad, and a trial that was passed over is over."""
        if name == self.trial and self.tries_left > 0:
            return replace(self, booted=name, boot_id=boot_id, tries_left=self.tries_left - 1)
        passed_over = self.slots[other(name)]
        given_up = other(name) in {self.trial, self.primary} and passed_over.bootable
        content = replace(passed_over, mark=Mark.BAD) if given_up else passed_over
        return self._with(other(name), content, booted=name, primary=name, boot_id=boot_id, trial=None, tries_left=0)

    def _with(self, name: str, content: Slot, **changes: Any) -> Self:
        return replace(self, slots={**self.slots, name: content}, **changes)

    # On disk.

    def numbered(self, sequence: int) -> Self:
        """The same, to be written as this one in the row of writes."""
        return replace(self, sequence=sequence)

    def encoded(self) -> bytes:
        """The content of a pointer file."""
        body = json.dumps(asdict(self), sort_keys=True).encode()
        return b"%b\n%b\n" % (_checksum(body), body)

    @classmethod
    def decoded(cls, data: bytes) -> Self | None:
        """The pointer in a file's content; None if it is damaged."""
        checksum, _, rest = data.partition(b"\n")
        body = rest.removesuffix(b"\n")
        if checksum != _checksum(body):
            return None
        try:
            known = json.loads(body)
            slots = {name: _slot(known["slots"][name]) for name in _OTHER}
            return cls(**(known | {"slots": slots}))
        except (ValueError, KeyError, TypeError):  # whole, but not ours
            return None


def other(name: str) -> str:
    """The slot that is not this one."""
    return _OTHER[name]


def _slot(known: dict[str, Any]) -> Slot:
    image = known["image"]
    return Slot(**(known | {"mark": Mark(known["mark"]), "image": Artifact(**image) if image else None}))


def _checksum(body: bytes) -> bytes:
    return hashlib.sha256(body).hexdigest().encode()
