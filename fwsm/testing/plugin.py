"""The pytest plugin of this package; pytest finds it by itself once `fwsm[hub]` is installed.

    def test_device_reports(iot_hub):
        device = iot_hub.add_device("d1")
        ...                                        # the code under test, with device.connection_string
        iot_hub.wait_twin("d1", lambda twin: twin["properties"]["reported"].get("ready"))

`iot_hub` is a running hub that forgets everything when the test ends. Each has an address of 127.0.0.0/8 to itself, so
tests can run side by side. The import of the hub waits until a test asks for one: others pay nothing.
"""

from __future__ import annotations

import random
from typing import TYPE_CHECKING

import pytest

from fwsm.errors import PortInUseError

if TYPE_CHECKING:
    from collections.abc import Iterator

    from fwsm.hub import Hub

__all__ = ["iot_hub"]

_ATTEMPTS = 20


@pytest.fixture
def iot_hub() -> Iterator[Hub]:
    """Return a running IoT Hub of this test's own, on ports 8883 and 8443 of a loopback address that nobody uses."""
    hub = _started()
    try:
        yield hub
    finally:
        hub.stop()


def _started() -> Hub:
    try:
        from fwsm.hub import Hub  # noqa: PLC0415 - needs the extra `hub`
    except ModuleNotFoundError as error:
        pytest.fail(f"iot_hub needs the package {error.name}. Run: pip install 'fwsm[hub]'")
    chance = random.SystemRandom()  # not the seed of the tests: two runs on one machine must not meet
    for _ in range(_ATTEMPTS):
        hub = Hub(f"127.{chance.randint(1, 99)}.{chance.randint(0, 255)}.{chance.randint(1, 254)}")
        try:
            hub.start()
        except PortInUseError:
            continue
        return hub
    pytest.fail(f"no loopback address with free ports 8883 and 8443 was found in {_ATTEMPTS} attempts")
