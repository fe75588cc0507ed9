"""Jobs over REST: `/jobs/v2`; and `/jobs`, where those would be that import and export devices by a blob store.

There is no way to a blob store from here. So none of these can be created, as on the service when it cannot reach the
store, and there are none to list, to show or to cancel.
"""

from __future__ import annotations

from typing import TYPE_CHECKING

from fwsm.hub.jobs import Order, Status
from fwsm.hub.policy import Right
from fwsm.hub.refusal import Refusal, Why
from fwsm.hub.rest.exchange import Route, answer, object_body, page_size
from fwsm.hub.throttles import Load

if TYPE_CHECKING:
    from starlette.requests import Request
    from starlette.responses import Response

    from fwsm.hub.engine import Engine

__all__ = ["ROUTES"]


def _job_id(request: Request) -> str:
    return str(request.path_params["job_id"])


async def _create(engine: Engine, request: Request) -> Response:
    order = Order.from_body(_job_id(request), await object_body(request), engine.wall())
    return answer(engine.jobs.document(engine.jobs.create(order)))


async def _get(engine: Engine, request: Request) -> Response:
    job = engine.jobs.find(_job_id(request))
    if job is None:  # not an error, as seen on the service
        return answer({"jobId": _job_id(request), "type": "unknown", "status": "unknown"})
    return answer(engine.jobs.document(job))


async def _cancel(engine: Engine, request: Request) -> Response:
    return answer(engine.jobs.document(engine.jobs.cancel(_job_id(request))))


async def _query(engine: Engine, request: Request) -> Response:
    kind, status = request.query_params.get("jobType"), request.query_params.get("jobStatus")
    if status is not None and status not in set(Status):
        raise Refusal(Why.ARGUMENT_INVALID, f"jobStatus is {status!r:.80}, not one of {', '.join(Status)}.")
    behind, size = request.headers.get("x-ms-continuation", ""), page_size(request)
    found = [
        job
        for job in engine.jobs.listed()
        if job.order.job_id > behind
        and job.order.type == (kind or job.order.type)
        and job.status == (status or job.status)
    ]
    page = found[:size]
    continued = {"x-ms-continuation": page[-1].order.job_id} if len(found) > size else {}
    return answer([engine.jobs.document(job) for job in page], headers={"x-ms-item-type": "JobResponse", **continued})


async def _transfer(engine: Engine, request: Request) -> Response:  # noqa: ARG001 - it comes to nothing
    kind = (await object_body(request)).get("type")
    if kind not in ("import", "export"):
        raise Refusal(Why.ARGUMENT_INVALID, f"type is {kind!r:.80}, neither import nor export.")
    raise Refusal(
        Why.NO_BLOB_CONTAINER,
        "This hub reaches no blob store. POST /devices changes up to 100 devices at once, and a query reads all.",
    )


async def _no_transfers(engine: Engine, request: Request) -> Response:  # noqa: ARG001 - there is nothing to ask for
    return answer([])


async def _no_transfer(engine: Engine, request: Request) -> Response:  # noqa: ARG001 - none is known
    raise Refusal(Why.JOB_NOT_FOUND, f"There is no job {_job_id(request)} that imports or exports devices.")


ROUTES = (
    Route("GET", "/jobs/v2/query", Right.SERVICE_CONNECT, _query, Load.JOB),
    Route("PUT", "/jobs/v2/{job_id}", Right.SERVICE_CONNECT, _create, Load.JOB),
    Route("GET", "/jobs/v2/{job_id}", Right.SERVICE_CONNECT, _get, Load.JOB),
    Route("POST", "/jobs/v2/{job_id}/cancel", Right.SERVICE_CONNECT, _cancel, Load.JOB),
    Route("POST", "/jobs/create", Right.REGISTRY_WRITE, _transfer, Load.JOB),
    Route("GET", "/jobs", Right.REGISTRY_READ, _no_transfers, Load.JOB),
    Route("GET", "/jobs/{job_id}", Right.REGISTRY_READ, _no_transfer, Load.JOB),
    Route("DELETE", "/jobs/{job_id}", Right.REGISTRY_WRITE, _no_transfer, Load.JOB),
)
