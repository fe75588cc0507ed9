"""What a client listens to, and whether the hub lets it.

The receipt of a subscription may say no (SUBACK 0x80). The SDK looks only at which one it is for, takes the refusal for
a success, and has no door to it. So this goes by the SDK's inner parts to its MQTT client, paho, whose callback is
public. An SDK that is built in another way is left alone: a refusal goes unnoticed then, and all else works.
"""

from __future__ import annotations

import logging
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final

if TYPE_CHECKING:
    from collections.abc import Callable, Coroutine, Sequence

__all__ = ["Hearing", "Sound"]

_log = logging.getLogger(__name__)

# MQTT 3.1.1, 3.9.3: what is below says which quality of service was granted.
_REFUSED: Final = 0x80


@dataclass(frozen=True, slots=True)
class Sound:
    """Something to listen to.

    Attributes:
        what: its name for people.
        handler: the attribute of the SDK's client.
        on_message: takes what comes.
    """

    what: str
    handler: str
    on_message: Callable[[Any], Coroutine[Any, Any, None]]


class Hearing:
    """The subscriptions of one client. `subscribe` is called by one thread at a time.

    Args:
        sounds: what is to be heard.

    Attributes:
        missing: what is not heard yet.
    """

    def __init__(self, *sounds: Sound) -> None:
        self.missing: Sequence[Sound] = sounds
        self._refused = False

    def watch(self, client: object) -> None:
        """Look at the receipts that a client of the SDK gets from now on."""
        mqtt = _mqtt_client_of(client)
        if mqtt is None:
            _log.debug("this azure-iot-device hides its MQTT client: a subscription that is refused goes unnoticed")
            return
        told = mqtt.on_subscribe

        def on_subscribe(paho: object, userdata: object, number: int, granted: Sequence[int]) -> None:
            if any(code >= _REFUSED for code in granted):
                self._refused = True
            told(paho, userdata, number, granted)  # behind this the subscription counts as made

        mqtt.on_subscribe = on_subscribe

    def subscribe(self, client: object, sound: Sound) -> None:
        """Listen to something that is missing; blocks until the hub has answered, and more often than once."""
        self._refused = False
        # Setting a handler subscribes. After a refusal the SDK takes that for done; taking the handler away undoes it.
        setattr(client, sound.handler, None)
        setattr(client, sound.handler, sound.on_message)
        if not self._refused:
            self.missing = [each for each in self.missing if each is not sound]


def _mqtt_client_of(client: object) -> Any:
    """A client has a pipeline, whose stages are a chain; one of them has the transport, and that the MQTT client."""
    stage = getattr(getattr(client, "_mqtt_pipeline", None), "_pipeline", None)
    while stage is not None:
        mqtt = getattr(getattr(stage, "transport", None), "_mqtt_client", None)
        if mqtt is not None:
            return mqtt
        stage = getattr(stage, "next", None)
    return None
