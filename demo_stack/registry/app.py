"""The registry over HTTP, with Eureka's paths and JSON.

``GET /eureka/apps``, ``POST /eureka/apps/{app}``, ``PUT`` and ``DELETE /eureka/apps/{app}/{id}``,
``PUT /eureka/apps/{app}/{id}/status?value=OUT_OF_SERVICE``.
"""

from __future__ import annotations

from typing import Any
from urllib.parse import urlsplit

from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo_stack.registry.leases import Instance, LeaseRegistry


def registry_app(registry: LeaseRegistry) -> Starlette:
    """Return the application."""

    async def everybody(_request: Request) -> Response:
        applications = [
            {"name": service.upper(), "instance": [describe(one) for one in instances]}
            for service, instances in _by_service(registry).items()
        ]
        return JSONResponse({"applications": {"application": applications}})

    async def register(request: Request) -> Response:
        body = await request.json()
        service = request.path_params["app"].lower()
        try:
            registry.register(_parse(service, body["instance"]))
        except (KeyError, TypeError) as error:
            return JSONResponse({"message": f"not an instance: {error!r}"}, status_code=400)
        return Response(status_code=204)

    async def renew(request: Request) -> Response:
        return _answer(registry.renew(*_who(request)))

    async def cancel(request: Request) -> Response:
        return _answer(registry.cancel(*_who(request)))

    async def status(request: Request) -> Response:
        value = request.query_params.get("value", "UP")
        return _answer(registry.set_status(*_who(request), value))

    one = "/eureka/apps/{app}/{id}"
    return Starlette(
        routes=[
            Route("/eureka/apps", everybody),
            Route("/eureka/apps/{app}", register, methods=["POST"]),
            Route(one, renew, methods=["PUT"]),
            Route(one, cancel, methods=["DELETE"]),
            Route(one + "/status", status, methods=["PUT"]),
        ]
    )


def describe(instance: Instance) -> dict[str, Any]:
    """Return an instance as Eureka's JSON has it."""
    parts = urlsplit(instance.url)
    return {
        "instanceId": instance.id,
        "app": instance.service.upper(),
        "hostName": parts.hostname,
        "ipAddr": parts.hostname,
        "vipAddress": instance.service,
        "status": instance.status,
        "port": {"$": parts.port or 80, "@enabled": "true"},
        "homePageUrl": instance.url,
        "metadata": {"zone": instance.zone},
    }


def _parse(service: str, body: dict[str, Any]) -> Instance:
    port = body.get("port", 80)
    number = port["$"] if isinstance(port, dict) else port
    host = body.get("ipAddr") or body["hostName"]
    return Instance(
        service=service,
        id=body.get("instanceId") or body["hostName"],
        url=(body.get("homePageUrl") or f"http://{host}:{number}").rstrip("/"),
        zone=(body.get("metadata") or {}).get("zone", ""),
        status=body.get("status", "UP"),
    )


def _by_service(registry: LeaseRegistry) -> dict[str, list[Instance]]:
    grouped: dict[str, list[Instance]] = {}
    for instance in registry.instances():
        grouped.setdefault(instance.service, []).append(instance)
    return grouped


def _who(request: Request) -> tuple[str, str]:
    return request.path_params["app"].lower(), request.path_params["id"]


def _answer(known: bool) -> Response:
    return Response(status_code=200 if known else 404)
