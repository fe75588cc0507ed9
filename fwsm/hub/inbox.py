"""What the hub does with a device's message: telemetry, the twin, the method answer, and the faults in between.

Errors go back as IoT Hub sends them: the status in the topic, which the Python SDK reads, and `errorCode` in the
body, which the Node SDK reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fwsm.hub.events import TelemetryReceived
from fwsm.hub.faults import (
    CutAfterAck,
    CutBeforeAck,
    CutInside,
    Lose,
    Operation,
    Refuse,
    WithholdAck,
    WithholdAnswer,
)
from fwsm.hub.jsontext import compact, parse_object
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.throttles import Load
from fwsm.hub.topics import MethodAnswer, ReportedPatch, Telemetry, TwinRead, twin_answer_topic

if TYPE_CHECKING:
    from fwsm.hub.engine import Engine
    from fwsm.hub.events import Sender
    from fwsm.hub.faults import Effect
    from fwsm.hub.topics import Publication

__all__ = ["Outcome", "operation_of", "receive_publication"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the device is to see, in this order.

    Attributes:
        acknowledge: whether a PUBACK goes out (if the message asks for one).
        answer: topic and payload of the twin answer, for devices that subscribed to twin answers.
        cut: whether the connection ends then.
        inside: whether it ends in the middle of the last of these packets.
    """

    acknowledge: bool = True
    answer: tuple[str, bytes] | None = None
    cut: bool = False
    inside: bool = False


_ACKNOWLEDGED = Outcome()


_OPERATIONS: dict[type[Publication], Operation] = {
    Telemetry: Operation.TELEMETRY,
    TwinRead: Operation.TWIN_READ,
    ReportedPatch: Operation.REPORTED_PATCH,
    MethodAnswer: Operation.METHOD_ANSWER,
}


def operation_of(publication: Publication) -> Operation:
    """Return the operation that a message is, to faults."""
    return _OPERATIONS[type(publication)]


def receive_publication(
    engine: Engine, sender: Sender, publication: Publication, payload: bytes, effect: Effect | None
) -> Outcome:
    """Act on one message of a device, on which `effect` strikes."""
    answer = _act(engine, sender, publication, payload, effect)
    if effect is None:
        return _ACKNOWLEDGED if answer is None else Outcome(answer=answer)
    return Outcome(
        acknowledge=not isinstance(effect, CutBeforeAck | WithholdAck),
        answer=None if isinstance(effect, WithholdAnswer | CutBeforeAck | CutAfterAck) else answer,
        cut=isinstance(effect, CutBeforeAck | CutAfterAck | CutInside),
        inside=isinstance(effect, CutInside),
    )


def _act(
    engine: Engine, sender: Sender, publication: Publication, payload: bytes, effect: Effect | None
) -> tuple[str, bytes] | None:
    lost = isinstance(effect, Lose)
    match publication:
        case Telemetry():
            if not lost:
                engine.events.publish(TelemetryReceived(sender.client_id, publication.bag, payload, sender))
            return None
        case MethodAnswer():
            if not lost:
                engine.methods.answered(sender.client_id, publication.rid, publication.status, payload)
            return None
        case TwinRead() | ReportedPatch():
            if isinstance(effect, Refuse):
                return _refused(engine, publication.rid, Refusal(Why.of_status(effect.status), "A fault was ordered."))
            try:
                return _twin_answer(engine, sender.client_id, publication, payload, lost=lost)
            except Refusal as refusal:
                return _refused(engine, publication.rid, refusal)


def _refused(engine: Engine, rid: str, refusal: Refusal) -> tuple[str, bytes]:
    return twin_answer_topic(refusal.why.status, rid), compact(refusal.detail(engine.wall()))


def _twin_answer(
    engine: Engine, client_id: str, request: TwinRead | ReportedPatch, payload: bytes, *, lost: bool
) -> tuple[str, bytes]:
    read = isinstance(request, TwinRead)
    if not engine.throttles.admits(Load.TWIN_READ if read else Load.TWIN_UPDATE):
        raise Refusal(Why.THROTTLED, "Too many requests on twins; wait 10 seconds.")
    if isinstance(request, TwinRead):
        return twin_answer_topic(200, request.rid), compact(engine.twins.get(client_id).device_document())
    if lost:
        version = engine.twins.get(client_id).reported.version + 1
    else:
        version = engine.twins.report(client_id, parse_object(payload), request.base_version).reported.version
    return twin_answer_topic(204, request.rid, version), b""
