"""What the hub does with a device's message: the twin, the method answer, and the faults in between.

Errors go back as IoT Hub sends them: the status in the topic, which the Python SDK reads, and `errorCode` in the
body, which the Node SDK reads.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import TYPE_CHECKING

from fwsm.hub.faults import CutAfterAck, CutBeforeAck, Operation, Refuse, WithholdAnswer
from fwsm.hub.jsontext import compact, parse_object
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.topics import MethodAnswer, ReportedPatch, Telemetry, TwinRead, twin_answer_topic

if TYPE_CHECKING:
    from fwsm.hub.engine import Engine
    from fwsm.hub.topics import Publication

__all__ = ["Outcome", "receive_publication"]


@dataclass(frozen=True, slots=True)
class Outcome:
    """What the device is to see, in this order.

    Attributes:
        acknowledge: whether a PUBACK goes out (if the message asks for one).
        cut: whether the connection ends then.
        answer: topic and payload of the twin answer, for devices that subscribed to twin answers.
    """

    acknowledge: bool = True
    cut: bool = False
    answer: tuple[str, bytes] | None = None


def receive_publication(engine: Engine, client_id: str, publication: Publication, payload: bytes) -> Outcome:
    """Act on one message of a device."""
    if isinstance(publication, Telemetry):
        return Outcome()
    if isinstance(publication, MethodAnswer):
        engine.methods.answered(client_id, publication.rid, publication.status, payload)
        return Outcome()
    operation = Operation.TWIN_READ if isinstance(publication, TwinRead) else Operation.REPORTED_PATCH
    effect = engine.faults.strike(operation, client_id)
    if isinstance(effect, Refuse):
        refusal = Refusal(Why.of_status(effect.status), "A fault was ordered.")
        return Outcome(answer=_error_answer(engine, publication.rid, refusal))
    answer = _twin_answer(engine, client_id, publication, payload)
    return Outcome(
        acknowledge=not isinstance(effect, CutBeforeAck),
        cut=isinstance(effect, CutBeforeAck | CutAfterAck),
        answer=None if isinstance(effect, WithholdAnswer) else answer,
    )


def _twin_answer(
    engine: Engine, client_id: str, request: TwinRead | ReportedPatch, payload: bytes
) -> tuple[str, bytes]:
    try:
        if isinstance(request, TwinRead):
            document = engine.twins.get(client_id).device_document()
            return twin_answer_topic(200, request.rid), compact(document)
        twin = engine.twins.report(client_id, parse_object(payload), request.base_version)
        return twin_answer_topic(204, request.rid, twin.reported.version), b""
    except Refusal as refusal:
        return _error_answer(engine, request.rid, refusal)


def _error_answer(engine: Engine, rid: str, refusal: Refusal) -> tuple[str, bytes]:
    return twin_answer_topic(refusal.why.status, rid), compact(refusal.detail(engine.wall()))
