"""The tokens of a query."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from fwsm.hub.query.scanner import Kind, QueryError, scan


def _values(text: str) -> list[object]:
    return [token.value for token in scan(text)][:-1]


def test_tokens_stand_for_values() -> None:
    """Strings in either quotes, numbers in decimal and hexadecimal, names, names in brackets, symbols."""
    text = """a.$b [[c-d.e]] 'f' "g" 1 2.5 .5 1e3 0x1F <= <> ["""
    values = ["a", ".", "$b", "c-d.e", "f", "g", 1, 2.5, 0.5, 1000.0, 31, "<=", "<>", "["]
    assert _values(text) == values


def test_string_has_its_escapes() -> None:
    r"""\' \" \\ and \uXXXX; two halves of a character are one."""
    assert _values(r"""'it\'s' "\"" '\\' '\u00e9' '\ud83d\ude00'""") == ["it's", '"', "\\", "é", "😀"]


@pytest.mark.parametrize(
    ("text", "fault"),
    [
        ("a = 'x", "a string has no end, at character 5"),
        ("a ~ b", "'~' has no meaning here, at character 3"),
        (r"'a\n'", r"\n is not an escape: use \' \" \\ or \uXXXX, at character 3"),
        ("1e999", "1e999 is too large, at character 1"),
        ("9" * 401, "a number is too long, at character 1"),
        ("[[]]", None),
    ],
)
def test_nonsense_is_refused_with_its_place(text: str, fault: str | None) -> None:
    """The message says what is wrong and where; empty double brackets are two empty arrays."""
    if fault is None:
        assert len(scan(text)) == 5
        return
    with pytest.raises(QueryError) as caught:
        scan(text)
    assert str(caught.value) == fault


@given(st.text())
def test_any_text_is_scanned_or_refused(text: str) -> None:
    """No text makes the scanner fail, and tokens come in the order of the text."""
    try:
        tokens = scan(text)
    except QueryError:
        return
    assert tokens[-1].kind is Kind.END
    assert [token.at for token in tokens] == sorted(token.at for token in tokens)


def test_long_nonsense_is_refused_soon() -> None:
    """The end of a name is looked for once, and not again from each of its brackets."""
    with pytest.raises(QueryError, match="double brackets has no end, at character 5"):
        scan("a = " + "[" * 200_000)


@given(st.text())
def test_string_comes_back_from_its_quotes(text: str) -> None:
    """Whatever a string holds can be written in a query."""
    quoted = text.replace("\\", "\\\\").replace("'", "\\'")
    assert _values(f"'{quoted}'") == [text]
