"""Bodies of requests as a confused or malicious client would send them."""

from __future__ import annotations

from typing import Any

from hypothesis import strategies as st

__all__ = ["VALUES", "bodies"]

VALUES: st.SearchStrategy[Any] = st.recursive(
    st.none()
    | st.booleans()
    | st.integers(-(2**70), 2**70)
    | st.floats(allow_nan=False, allow_infinity=False)
    | st.text(),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=4), inner, max_size=3),
    max_leaves=8,
)


def bodies(**likely: Any) -> st.SearchStrategy[dict[str, Any]]:
    """Return objects with some of these names, whose values are mostly likely ones and now and then anything.

    A likely value that is a strategy stands for what it draws.
    """
    return st.fixed_dictionaries(
        {},
        optional={
            name: (value if isinstance(value, st.SearchStrategy) else st.just(value)) | VALUES
            for name, value in likely.items()
        },
    )
