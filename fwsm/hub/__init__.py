"""An IoT Hub on this machine, for trying and testing devices without a cloud account.

    with Hub("127.0.7.1") as hub:
        device = hub.add_device("d1")
        print(device.connection_string, hub.ca_path)

The rooms, from the outside in:

    hub           the face for programs and tests: synchronous, a context manager; mail (messages)
    runtime       brings everything up and takes it down
    doors         all ways in: listener (sockets), tls, mqtt, restdoor, websocket, socks; reach (ports, strings)
    ── MQTT ──    connection (one device) > admission (CONNECT), subscribing, inbox (messages),
                  topics > bags, codec > packets, fields
    ── DPS ──     provisioning: the service that assigns this hub to devices that are enrolled
    ── REST ──    rest (routes by subject), operator (documents)
    ── itself ──  backstage (what nobody asks for) > jobs, configurations
    ── asked ──   queries > query (the language), bulk (many changes to the registry)
    ── engine ──  registry > identity, twins > twin > limits, session, links, methods, cloudmessages, policy > sas,
                  presence, events, feed > eventdata, faults, throttles
    ── ground ──  turn (commit, then speak), state, diskstate, home (directory and lock), certificates, loopthread,
                  watch (eyes for other threads), refusal (error codes), jsontext, timestamp

`codec`, `connection` and everything in the engine do no I/O. The hub shares no code with the device or the operator's
side of this package: a double that decodes with the code under test proves nothing.
"""

from __future__ import annotations

from fwsm.hub.eventdata import EventData
from fwsm.hub.faults import (
    CutAfterAck,
    CutBeforeAck,
    CutInside,
    Delay,
    Effect,
    Fault,
    Faults,
    Lose,
    Operation,
    Refuse,
    WithholdAck,
    WithholdAnswer,
)
from fwsm.hub.feed import EventStream
from fwsm.hub.hub import Hub
from fwsm.hub.methods import MethodResult
from fwsm.hub.reach import Device

__all__ = [
    "CutAfterAck",
    "CutBeforeAck",
    "CutInside",
    "Delay",
    "Device",
    "Effect",
    "EventData",
    "EventStream",
    "Fault",
    "Faults",
    "Hub",
    "Lose",
    "MethodResult",
    "Operation",
    "Refuse",
    "WithholdAck",
    "WithholdAnswer",
]
