"""A hub with one device for each test, on an address of its own; no rubbish of the SDK for the test that follows."""

from __future__ import annotations

import gc
from typing import TYPE_CHECKING

import pytest
from azure.iot.device.common.pipeline import pipeline_thread

from fwsm.hub import Hub
from tests.device.iothub.bench import DEADLINE_S, Twins, new_link
from tests.device.iothub.states import States
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Callable, Iterator

    from fwsm.device.iothub import IoTHubLink


@pytest.fixture
def address(loopback: Callable[[], str]) -> str:
    """A loopback address that no other test uses."""
    return loopback()


@pytest.fixture
def hub(address: str) -> Iterator[Hub]:
    """A running hub that knows the device d1."""
    with Hub(address) as hub:
        hub.add_device("d1")
        yield hub


@pytest.fixture(autouse=True)
def _rest() -> Iterator[None]:
    """Wait for the SDK's threads: what they are still about to do may hold on to a client that is to be collected."""
    yield
    for invoke in (pipeline_thread.invoke_on_pipeline_thread_nowait, pipeline_thread.invoke_on_callback_thread_nowait):
        invoke(gc.get_count)().result(PATIENCE_S)  # type: ignore[no-untyped-call]


@pytest.fixture
def states() -> States:
    """The states of `link`."""
    return States()


@pytest.fixture
def twins() -> Twins:
    """The twins that `link` has delivered."""
    return Twins()


@pytest.fixture
def link(hub: Hub, states: States, twins: Twins) -> Iterator[IoTHubLink]:
    """A link that is connected to the hub and echoes direct methods."""
    link = new_link(hub, states)
    link.start(twins)
    states.wait(lambda: states.connections() == 1)
    yield link
    link.stop()


@pytest.fixture
def hasty_link(hub: Hub, states: States, twins: Twins) -> Iterator[IoTHubLink]:
    """A link like `link`, with a deadline that a test can wait for."""
    link = new_link(hub, states, deadline_s=DEADLINE_S)
    link.start(twins)
    states.wait(lambda: states.connections() >= 1)
    yield link
    link.stop()
