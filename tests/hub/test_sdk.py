"""The unmodified azure-iot-device against the hub, with both of its clients."""

from __future__ import annotations

import asyncio
import contextlib
import queue
import threading
from typing import TYPE_CHECKING, Any

import pytest
from azure.iot.device import IoTHubDeviceClient, MethodResponse
from azure.iot.device.aio import IoTHubDeviceClient as AioClient
from azure.iot.device.exceptions import ConnectionFailedError, CredentialError, NoConnectionError

from fwsm.errors import DeviceTimeoutError
from fwsm.hub import CutAfterAck, CutBeforeAck, Hub, MethodResult, Operation, Refuse, WithholdAnswer
from tests.patience import PATIENCE_S

if TYPE_CHECKING:
    from collections.abc import Iterator

pytestmark = [
    pytest.mark.e2e,
    pytest.mark.sdk,
    # The SDK leaves its own exception in a thread that nobody joins.
    pytest.mark.filterwarnings("ignore::pytest.PytestUnraisableExceptionWarning"),
]


@contextlib.contextmanager
def _client(hub: Hub, connection_string: str, **options: Any) -> Iterator[Any]:
    client = IoTHubDeviceClient.create_from_connection_string(
        connection_string, server_verification_cert=hub.ca_pem, **options
    )
    try:
        yield client
    finally:
        client.shutdown()


@pytest.fixture
def device(hub: Hub) -> Iterator[Any]:
    """Return a connected client of d1, whose retries are quick."""
    with _client(hub, hub.add_device("d1").connection_string, connection_retry_interval=1) as client:
        client.connect()
        yield client


def _answers(client: Any) -> None:
    """Let the client answer every method with what it was given."""

    def answer(request: Any) -> None:
        payload = {"name": request.name, "payload": request.payload}
        client.send_method_response(MethodResponse.create_from_method_request(request, 202, payload))

    client.on_method_request_received = answer


def test_twin_is_read_and_reported(hub: Hub, device: Any) -> None:
    """Reports merge, null deletes, and the log has them in order."""
    assert device.get_twin() == {"desired": {"$version": 1}, "reported": {"$version": 1}}
    device.patch_twin_reported_properties({"a": {"b": 1, "c": [1, {"d": 2}]}})
    device.patch_twin_reported_properties({"a": {"b": None}, "e": "ü"})
    assert device.get_twin()["reported"] == {"a": {"c": [1, {"d": 2}]}, "e": "ü", "$version": 3}
    assert hub.reports("d1") == [{"a": {"b": 1, "c": [1, {"d": 2}]}}, {"a": {"b": None}, "e": "ü"}]


def test_desired_change_arrives(hub: Hub, device: Any) -> None:
    """The handler gets the change with its nulls and the version."""
    patches: queue.Queue[dict[str, Any]] = queue.Queue()
    device.on_twin_desired_properties_patch_received = patches.put
    hub.update_twin("d1", desired={"a": 1, "b": None})
    assert patches.get(timeout=PATIENCE_S) == {"a": 1, "b": None, "$version": 2}


def test_method_is_answered(hub: Hub, device: Any) -> None:
    """Name, payload and status pass through."""
    _answers(device)
    result = hub.call_method("d1", "go-now.*", {"x": [1]})
    assert result == MethodResult(202, {"name": "go-now.*", "payload": {"x": [1]}})


def test_telemetry_is_acknowledged(device: Any) -> None:
    """The call returns with the PUBACK."""
    device.send_message("hello")


def test_silent_device_times_out(hub: Hub, device: Any) -> None:
    """A handler that does not answer costs the caller its timeout, and no more."""
    called = threading.Event()
    device.on_method_request_received = lambda _: called.set()
    with pytest.raises(DeviceTimeoutError):
        hub.call_method("d1", "go", response_timeout_s=0.3)
    assert called.wait(PATIENCE_S)


def test_reconnected_device_still_hears(hub: Hub, device: Any) -> None:
    """The SDK does not subscribe again after a cut; the session does it for it."""
    _answers(device)
    patches: queue.Queue[dict[str, Any]] = queue.Queue()
    device.on_twin_desired_properties_patch_received = patches.put
    hub.disconnect("d1")
    assert hub.call_method("d1", "go", connect_timeout_s=PATIENCE_S).status == 202
    hub.update_twin("d1", desired={"a": 1})
    assert patches.get(timeout=PATIENCE_S)["a"] == 1


def test_outage_ends_with_the_device_back(hub: Hub, device: Any) -> None:
    """The device is cut off while the hub is away, and comes back by itself."""
    _answers(device)
    with hub.offline():
        hub.wait_disconnected("d1")
    hub.wait_connected("d1")
    assert hub.call_method("d1", "go").status == 202


def test_restarted_hub_knows_device_and_subscriptions(address: str, tmp_path: Any) -> None:
    """A hub with a state comes back, and the device that never noticed goes on."""
    hub = Hub(address, state=tmp_path)
    with hub:
        device = hub.add_device("d1")
        with contextlib.ExitStack() as clients:
            client = clients.enter_context(_client(hub, device.connection_string, connection_retry_interval=1))
            client.connect()
            _answers(client)
            client.patch_twin_reported_properties({"a": 1})
            hub.stop()
            hub.start()
            assert hub.call_method("d1", "go", connect_timeout_s=PATIENCE_S).status == 202
            assert client.get_twin()["reported"] == {"a": 1, "$version": 2}


def test_second_client_takes_over(hub: Hub) -> None:
    """Of two clients of one device the newer is served, and the older is cut off."""
    text = hub.add_device("d1").connection_string
    with (
        _client(hub, text, connection_retry=False) as first,
        _client(hub, text, connection_retry=False) as second,
    ):
        first.connect()
        gone = threading.Event()

        def note() -> None:
            if not first.connected:
                gone.set()

        first.on_connection_state_change = note
        second.connect()
        second.patch_twin_reported_properties({"who": "second"})
        assert gone.wait(PATIENCE_S)
        assert (first.connected, second.connected) == (False, True)
    assert hub.twin("d1")["properties"]["reported"]["who"] == "second"


def test_wrong_key_is_a_credential_error(hub: Hub) -> None:
    """CONNACK 5, as the SDK shows it."""
    hub.add_device("d1")
    text = f"HostName={hub.address};DeviceId=d1;SharedAccessKey={'A' * 43}="
    with _client(hub, text) as client, pytest.raises(CredentialError):
        client.connect()


def test_unknown_device_is_a_credential_error(hub: Hub) -> None:
    """The device cannot tell an unknown name from a wrong key."""
    text = hub.add_device("d1").connection_string.replace("DeviceId=d1", "DeviceId=d2")
    with _client(hub, text) as client, pytest.raises(CredentialError):
        client.connect()


def test_throttled_hub_is_a_failed_connection(hub: Hub) -> None:
    """CONNACK 3, as the SDK shows it; the next client is let in.

    The same client may fail once more: the SDK takes the late end of its first connection for one of the second.
    """
    text = hub.add_device("d1").connection_string
    hub.faults.inject(Operation.CONNECT, Refuse(3), device_id="d1")
    with _client(hub, text) as client, pytest.raises(ConnectionFailedError):
        client.connect()
    with _client(hub, text) as client:
        client.connect()
        assert hub.connected("d1")


def test_report_cut_before_its_receipt_is_sent_again_or_raises(hub: Hub, device: Any) -> None:
    """The SDK repeats it after the reconnect, so the hub sees it twice; unless it finds itself offline just then."""
    fault = hub.faults.inject(Operation.REPORTED_PATCH, CutBeforeAck(), device_id="d1")
    try:
        device.patch_twin_reported_properties({"a": 1})
        expected = [{"a": 1}, {"a": 1}]
    except NoConnectionError:
        expected = [{"a": 1}]
    assert fault.times_left == 0
    assert hub.reports("d1") == expected


@pytest.mark.parametrize("status", [400, 429, 500])
def test_refused_report_raises(hub: Hub, device: Any, status: int) -> None:
    """The number is in the text of the cause only."""
    hub.faults.inject(Operation.REPORTED_PATCH, Refuse(status), device_id="d1")
    with pytest.raises(Exception, match=r".") as caught:
        device.patch_twin_reported_properties({"a": 1})
    assert str(status) in repr(caught.value.__cause__)
    device.patch_twin_reported_properties({"a": 2})
    assert hub.reports("d1") == [{"a": 2}]


@pytest.mark.parametrize("effect", [CutAfterAck(), WithholdAnswer()])
def test_report_whose_answer_is_lost_waits_for_ever(hub: Hub, effect: CutAfterAck | WithholdAnswer) -> None:
    """The hub has acted, the SDK never says so: a caller needs a deadline of its own."""
    hub.add_device("d1")

    async def scene() -> None:
        client = AioClient.create_from_connection_string(
            hub.device("d1").connection_string, server_verification_cert=hub.ca_pem, connection_retry_interval=1
        )
        await client.connect()
        await client.get_twin()
        fault = hub.faults.inject(Operation.REPORTED_PATCH, effect, device_id="d1")
        reporting = asyncio.create_task(client.patch_twin_reported_properties({"a": 1}))
        await asyncio.to_thread(fault.wait_spent)
        with pytest.raises(TimeoutError):
            await asyncio.wait_for(reporting, 0.5)
        await client.shutdown()

    asyncio.run(scene())
    assert hub.reports("d1") == [{"a": 1}]


def test_asynchronous_client_is_served_alike(hub: Hub) -> None:
    """Twin, report, desired change and method, with the asyncio client."""
    hub.add_device("d1")

    async def scene() -> None:
        loop = asyncio.get_running_loop()
        client = AioClient.create_from_connection_string(
            hub.device("d1").connection_string, server_verification_cert=hub.ca_pem
        )
        await client.connect()
        patches: queue.Queue[dict[str, Any]] = queue.Queue()

        async def on_patch(patch: dict[str, Any]) -> None:
            patches.put(patch)

        async def on_method(request: Any) -> None:
            response = MethodResponse.create_from_method_request(request, 200, request.payload)
            await client.send_method_response(response)

        client.on_twin_desired_properties_patch_received = on_patch
        client.on_method_request_received = on_method
        await client.patch_twin_reported_properties({"a": 1})
        assert (await client.get_twin())["reported"] == {"a": 1, "$version": 2}
        await loop.run_in_executor(None, lambda: hub.update_twin("d1", desired={"b": 2}))
        assert await loop.run_in_executor(None, lambda: patches.get(timeout=PATIENCE_S)) == {"b": 2, "$version": 2}
        result = await loop.run_in_executor(None, lambda: hub.call_method("d1", "go", [1]))
        assert result == MethodResult(200, [1])
        await client.shutdown()

    asyncio.run(scene())
