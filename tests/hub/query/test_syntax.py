"""The tree of a query."""

from __future__ import annotations

from fwsm.hub.query.syntax import Aggregate, Collection, Column, Path, Query


def test_path_may_begin_with_its_collection() -> None:
    """`devices.deviceId` is `deviceId`, in any case; a property may still be called like the collection."""
    assert Path(("DEVICES", "deviceId")).within(Collection.DEVICES) == Path(("deviceId",))
    assert Path(("devices", "jobs", "jobId")).within(Collection.JOBS) == Path(("jobId",))
    assert Path(("devices",)).within(Collection.DEVICES) == Path(("devices",))
    assert Path(("tags", "devices")).within(Collection.DEVICES) == Path(("tags", "devices"))


def test_column_is_brought_within_its_collection() -> None:
    """With the path of its aggregate, if it has one."""
    for inner in (Aggregate("COUNT", None), Aggregate("AVG", Path(("tags", "a"))), Path(("tags", "a"))):
        outer = Path(("devices", "tags", "a"))
        value = outer if isinstance(inner, Path) else Aggregate(inner.function, inner.path and outer)
        assert Column("n", value).within(Collection.DEVICES) == Column("n", inner)


def test_query_knows_whether_it_groups() -> None:
    """Rows of aggregates and of groups stand for many documents."""
    assert Query(Collection.DEVICES, (Column("n", Aggregate("COUNT", None)),)).grouped
    assert not Query(Collection.DEVICES).grouped
    assert Query(Collection.DEVICES, (Column("a", Path(("a",))),), group_by=Path(("a",))).grouped
