"""The tokens of a query."""

from __future__ import annotations

import enum
import math
import re
from dataclasses import dataclass
from typing import Any

__all__ = ["Kind", "QueryError", "QueryTooLongError", "Token", "scan"]

_TOKEN = re.compile(
    r"""
      (?P<space>  \s+ )
    | (?P<string> '(?:[^'\\]|\\.)*' | "(?:[^"\\]|\\.)*" )
    | (?P<number> 0[xX][0-9a-fA-F]+ | (?:[0-9]+(?:\.[0-9]*)?|\.[0-9]+)(?:[eE][+-]?[0-9]+)? )
    | (?P<quoted> \[\[ (?:[^\]]|\](?!\]))+ \]\] )
    | (?P<word>   [^\W\d][\w$]* | \$\w+ )
    | (?P<symbol> <= | >= | != | <> | [=<>+\-*/%().,\[\]] )
    """,
    re.VERBOSE | re.DOTALL,
)
_ESCAPE = re.compile(r"\\(?:u([0-9a-fA-F]{4})|(.))", re.DOTALL)
_ESCAPED = {"'", '"', "\\"}
# A number of a twin has at most 16 digits; Python itself refuses to read a few thousand.
_MAX_NUMBER_CHARS = 400


class QueryError(Exception):
    """The text is not a query that this hub knows; the message says where and why."""

    def __init__(self, fault: str, at: int | None = None) -> None:
        super().__init__(fault if at is None else f"{fault}, at character {at + 1}")


class QueryTooLongError(QueryError):
    """The text is longer than a query may be."""

    def __init__(self, chars: int, most: int) -> None:
        super().__init__(f"{chars} characters are more than {most}")


class Kind(enum.Enum):
    """What a token is."""

    STRING = enum.auto()
    NUMBER = enum.auto()
    QUOTED = enum.auto()
    WORD = enum.auto()
    SYMBOL = enum.auto()
    END = enum.auto()


@dataclass(frozen=True, slots=True)
class Token:
    """One token.

    Attributes:
        value: the string or number that it stands for; a name without its brackets; else the text itself.
        at: where it begins, from 0.
    """

    kind: Kind
    text: str
    value: Any
    at: int


def scan(text: str) -> list[Token]:
    """Return the tokens of `text`, with one of kind END behind them; raises QueryError."""
    tokens, at = [], 0
    while at < len(text):
        match = _TOKEN.match(text, at)
        if match is None:
            unclosed = text[at] in "'\""
            raise QueryError("a string has no end" if unclosed else f"{text[at]!r} has no meaning here", at)
        if match.group() == "[" and text.startswith("[[", at) and text.find("]]", at) < 0:
            # Told at the first of many brackets, of which each would be searched for its end.
            raise QueryError("a name in double brackets has no end", at)
        if match.lastgroup != "space":
            tokens.append(_token(str(match.lastgroup), match.group(), at))
        at = match.end()
    tokens.append(Token(Kind.END, "the end", None, at))
    return tokens


def _token(group: str, text: str, at: int) -> Token:
    value: Any = text
    if group == "string":
        value = _ESCAPE.sub(lambda escape: _unescaped(escape, at), text[1:-1])
        # Two escapes may be the halves of one character.
        value = value.encode("utf-16", "surrogatepass").decode("utf-16", "surrogatepass")
    elif group == "number":
        value = _number(text, at)
    elif group == "quoted":
        value = text[2:-2]
    return Token(Kind[group.upper()], text, value, at)


def _unescaped(escape: re.Match[str], at: int) -> str:
    code, char = escape.groups()
    if code is not None:
        return chr(int(code, 16))
    if char not in _ESCAPED:
        raise QueryError(rf"\{char} is not an escape: use \' \" \\ or \uXXXX", at + 1 + escape.start())
    return str(char)


def _number(text: str, at: int) -> int | float:
    if len(text) > _MAX_NUMBER_CHARS:
        raise QueryError("a number is too long", at)
    if text[:2] in {"0x", "0X"}:
        return int(text, 16)
    if text.isdecimal():
        return int(text)
    value = float(text)
    if math.isinf(value):
        raise QueryError(f"{text} is too large", at)
    return value
