"""The error tree: what is printed at its top is what it is."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Any

import pytest

from fwsm import errors
from fwsm.errors import FwsmError, Kind, RequestError

if TYPE_CHECKING:
    from collections.abc import Iterator


def _tree(root: type[FwsmError]) -> Iterator[type[FwsmError]]:
    yield root
    for child in root.__subclasses__():
        if child.__module__.startswith(errors.__name__):
            yield from _tree(child)


CLASSES = list(_tree(FwsmError))


def _printed() -> Iterator[tuple[str, str | None]]:
    """Each class of the docstring's tree with its parent, read off the indentation."""
    above: list[tuple[int, str]] = []
    for line in (errors.__doc__ or "").splitlines():
        found = re.match(r"^ {4}((?:│ {3}| {4})*(?:├── |└── )?)(\w+Error)\b", line)
        if found is None:
            continue
        depth, name = len(found[1]), found[2]
        above = [(left, parent) for left, parent in above if left < depth]
        yield name, above[-1][1] if above else None
        above.append((depth, name))


def test_printed_tree_is_the_real_one() -> None:
    """The docstring names every class once, below the class it derives from."""
    real = [(each.__name__, each.__base__.__name__ if each is not FwsmError else None) for each in CLASSES]  # type: ignore[union-attr]
    assert sorted(_printed(), key=str) == sorted(real, key=str)


def test_every_class_is_public() -> None:
    """`__all__` names the tree and the kinds, and nothing else."""
    assert sorted(errors.__all__) == sorted(["Kind", *(each.__name__ for each in CLASSES)])


def test_codes_tell_classes_apart() -> None:
    """`error.code` on the twin says which class it was; each has one of its own, written like the wire's words."""
    codes = [each.code for each in CLASSES]
    assert len(set(codes)) == len(CLASSES)
    assert not [code for code in codes if not re.fullmatch("[a-z]+([A-Z][a-z]+)*", code)]


def test_kinds_are_the_wires_words() -> None:
    """The values are stored and reported."""
    assert [kind.value for kind in Kind] == ["transient", "permanent", "needsOperator"]


@pytest.mark.parametrize("each", CLASSES)
def test_class_says_how_to_go_on(each: type[FwsmError]) -> None:
    """An exit code that a shell can tell from a signal, a kind, and a docstring for the reference."""
    assert 1 <= each.exit_code <= 125
    assert isinstance(each.kind, Kind)
    assert each.__doc__


@pytest.mark.parametrize(
    ("why", "fix", "text"),
    [
        ("", "", "it broke"),
        ("of age", "", "it broke: of age"),
        ("", "Buy another", "it broke. Buy another"),
        ("of age", "Buy another", "it broke: of age. Buy another"),
    ],
)
def test_text_says_what_why_and_what_to_do(why: str, fix: str, text: str) -> None:
    """Parts that are not known leave no trace."""
    error = FwsmError("it broke", why=why, fix=fix)
    assert str(error) == text
    assert (error.what, error.why, error.fix, error.retry_after_s) == ("it broke", why, fix, None)


def test_a_class_that_forgets_to_make_its_error_has_one_all_the_same() -> None:
    """A program's own; whoever tells of it would fail instead."""

    class OwnError(FwsmError):
        def __init__(self, pin: int) -> None:
            self.pin = pin

    error = OwnError(5)
    assert str(error) == "something went wrong"
    assert error.retry_after_s is None


def test_error_carries_the_wait_it_was_asked_for() -> None:
    """The backoff listens to it."""
    assert FwsmError("busy", retry_after_s=2.5).retry_after_s == 2.5


@pytest.mark.parametrize("asked", ["120", float("nan"), float("inf"), -5.0, None])
def test_a_wait_that_is_no_number_of_seconds_was_not_asked_for(asked: Any) -> None:
    """A program may pass on a header as it came; the backoff then goes by itself."""
    assert FwsmError("busy", retry_after_s=asked).retry_after_s is None


def test_request_error_names_the_field() -> None:
    """The sender finds the place."""
    error = RequestError("fwVersion is no version", field="fwVersion", why="it is empty", fix="Send a text")
    assert error.field == "fwVersion"
    assert str(error) == "fwVersion is no version: it is empty. Send a text"
