"""The REST door: what operators and service SDKs see.

    app           the ASGI application: right, handler, commit, answer; every refusal in the form of IoT Hub
    routes        all tables of routes, put together
    exchange      what a handler takes and gives: a route, the body, If-Match, JSON
    registry, twins, …   a table of routes each, by subject

A handler translates: path, headers and body to a call of the engine, its outcome to a status and a body. Any
api-version will do. Source: the service's OpenAPI description (`service.json`).
"""

from __future__ import annotations

from fwsm.hub.rest.app import rest_app

__all__ = ["rest_app"]
