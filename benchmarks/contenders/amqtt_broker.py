"""The broker amqtt, for the hub's benchmark: anonymous, over TLS. Says `ready` and runs until its input ends."""

from __future__ import annotations

import asyncio
import sys

from amqtt.broker import Broker


async def serve(address: str, server_file: str) -> None:
    """Listen on the port of MQTT over TLS; the file holds key and certificate."""
    listener = {"type": "tcp", "bind": f"{address}:8883", "ssl": True, "certfile": server_file, "keyfile": server_file}
    broker = Broker(
        {
            "listeners": {"default": listener},
            "plugins": {"amqtt.plugins.authentication.AnonymousAuthPlugin": {"allow_anonymous": True}},
        }
    )
    await broker.start()
    print("ready", flush=True)
    await asyncio.to_thread(sys.stdin.readline)
    await broker.shutdown()


asyncio.run(serve(*sys.argv[1:]))
