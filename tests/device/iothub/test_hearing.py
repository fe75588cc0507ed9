"""What a client listens to, against the embedded hub."""

from __future__ import annotations

import asyncio
from typing import TYPE_CHECKING, Any

import pytest
from azure.iot.device.aio import IoTHubDeviceClient

from fwsm.device.iothub.hearing import Hearing, Sound
from fwsm.hub import Operation, Refuse

if TYPE_CHECKING:
    from fwsm.hub import Hub


async def _ignore(_message: Any) -> None:
    """Nothing is sent in these tests."""


METHODS = Sound("direct methods", "on_method_request_received", _ignore)
CHANGES = Sound("desired properties", "on_twin_desired_properties_patch_received", _ignore)


@pytest.mark.e2e
@pytest.mark.sdk
def test_a_refused_subscription_is_missing_until_the_hub_takes_it(hub: Hub) -> None:
    """The SDK calls each of them done; asked again, it subscribes again."""

    async def use() -> None:
        text = hub.device("d1").connection_string
        client = IoTHubDeviceClient.create_from_connection_string(text, server_verification_cert=hub.ca_pem)
        await client.connect()
        hearing = Hearing(METHODS, CHANGES)
        hearing.watch(client)

        async def subscribe(sound: Sound) -> list[Sound]:
            await asyncio.get_running_loop().run_in_executor(None, hearing.subscribe, client, sound)
            return list(hearing.missing)

        hub.faults.inject(Operation.SUBSCRIBE, Refuse(128), times=2)
        assert await subscribe(METHODS) == [METHODS, CHANGES]
        assert await subscribe(METHODS) == [METHODS, CHANGES]
        assert await subscribe(METHODS) == [CHANGES]
        assert await subscribe(CHANGES) == []
        await client.shutdown()

    asyncio.run(use())


class _Stage:
    next = None


class _Pipeline:
    _pipeline = _Stage()


class _Hidden:
    """A client that is built in another way, as a later SDK may be."""

    on_method_request_received: object = None
    _mqtt_pipeline = _Pipeline()


@pytest.mark.parametrize("client", [object(), _Hidden()], ids=["nothing there", "no transport"])
def test_a_client_that_is_built_in_another_way_is_left_alone(client: object) -> None:
    """Its receipts cannot be looked at, and nothing is harmed by that."""
    Hearing(METHODS).watch(client)


def test_what_is_not_known_to_be_refused_counts_as_heard() -> None:
    """As it does in the SDK."""
    client = _Hidden()
    hearing = Hearing(METHODS)
    hearing.watch(client)
    hearing.subscribe(client, METHODS)
    assert client.on_method_request_received is _ignore
    assert list(hearing.missing) == []
