"""Takes secrets out of text that people will read: logs, errors, the twin.

What comes from a library, a server or a program may quote anything, so this is the last gate before each way out and
does not rely on those before it.
"""

from __future__ import annotations

import re
from typing import TYPE_CHECKING, Final

if TYPE_CHECKING:
    from collections.abc import Iterable

__all__ = ["redacted", "without_tails"]

_GONE: Final = "[redacted]"
_USER_OF_URL: Final = re.compile(r"(\b[a-z][a-z0-9+.-]*://)[^\s/?#\"'\\@]*@", re.IGNORECASE)  # of a proxy as well
_TAIL_OF_URL: Final = re.compile(r"(https?://[^\s?#\"'\\<>]*)[?#][^\s\"'\\<>]*", re.IGNORECASE)

# A value ends where the text around it goes on: at the next part of a connection string or query, a quote, a blank.
_VALUE: Final = r"[^\s;&\"'\\,<>]+"
_SECRETS: Final = (
    # a token: SharedAccessSignature sr=…&sig=…&se=…; behind Authorization or by itself
    re.compile(r"(SharedAccessSignature\s+)s[a-z]{1,2}=[^\s\"'\\,<>]+", re.IGNORECASE),
    re.compile(r"(Authorization[\"']?\s*[:=]\s*[\"']?)(?:(?:Basic|Bearer|Digest)\s+)?[^\s\"'\\,<>\[]+", re.IGNORECASE),
    # parts of connection strings, and of queries that stand without their address
    re.compile(
        rf"(\b(?:SharedAccessKey|SharedAccessSignature|AccountKey|sig|password|x-amz-signature)=)(?![\[…]){_VALUE}",
        re.IGNORECASE,
    ),
    # settings, as a file or an environment has them
    re.compile(rf"((?:symmetric_?key|passphrase)[\"']?\s*=\s*[\"']?)(?!\[){_VALUE}", re.IGNORECASE),
)
# A known secret that is shorter may be a word, and would make a riddle of any text.
_SHORTEST_KNOWN: Final = 8


def redacted(text: str, known: Iterable[str] = ()) -> str:
    """Return the text without keys, tokens and passwords, and with web addresses cut down to what is no secret.

    Args:
        text: for people to read.
        known: secrets that are to go wherever they stand; those of less than eight characters stay.
    """
    for word in sorted(known, key=len, reverse=True):  # one may be a part of another
        if len(word) >= _SHORTEST_KNOWN:
            text = text.replace(word, _GONE)
    text = without_tails(text)
    for secret in _SECRETS:
        text = secret.sub(rf"\g<1>{_GONE}", text)
    return text


def without_tails(text: str) -> str:
    """Return the text with web addresses without user, query and fragment; a signed URL is a secret."""
    return _TAIL_OF_URL.sub(r"\1", _USER_OF_URL.sub(r"\1", text))
