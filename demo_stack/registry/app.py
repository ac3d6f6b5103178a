"""The registry over HTTP, with Eureka's paths; XML unless JSON is asked for, as Eureka answers.

``GET /eureka/apps``, ``/apps/delta``, ``/apps/{app}``, ``/apps/{app}/{id}``, ``/instances/{id}``,
``/vips/{vip}`` and ``/svips/{vip}``; ``POST /eureka/apps/{app}``; ``PUT`` and ``DELETE
/eureka/apps/{app}/{id}``; ``PUT`` and ``DELETE /eureka/apps/{app}/{id}/status?value=``.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

import orjson
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route

from demo_stack.registry.documents import (
    NotAnInstanceError,
    application_xml,
    applications_xml,
    describe,
    describe_all,
    hash_code,
    instance_xml,
    understand,
)
from demo_stack.registry.leases import Instance, LeaseRegistry

LARGEST_BODY = 65_536


class RegistryPages:
    """The handlers.

    Args:
        registry: Who is there.
    """

    def __init__(self, registry: LeaseRegistry) -> None:
        self._registry = registry

    async def everybody(self, request: Request) -> Response:
        """Every instance; of one virtual address, when the path names one."""
        wanted = request.path_params.get("vip", "")
        found = [one for one in self._registry.instances() if not wanted or one.service == wanted]
        return self._applications(request, [describe(one) for one in found])

    async def delta(self, request: Request) -> Response:
        """What changed in the last minutes, with the hash code of everything."""
        changed = [describe(one, action) for action, one in self._registry.recent_changes()]
        everything = hash_code(one.status for one in self._registry.instances())
        return self._applications(request, changed, hashed=everything)

    async def application(self, request: Request) -> Response:
        """The instances of one application."""
        instances = self._registry.instances(request.path_params["app"].lower())
        if not instances:
            return Response(status_code=404)
        (document,) = describe_all(describe(one) for one in instances)["application"]
        if _wants_json(request):
            return JSONResponse({"application": document})
        return _xml(application_xml(document))

    async def instance(self, request: Request) -> Response:
        """One instance, by application and id or by id alone."""
        service = request.path_params.get("app", "").lower() or None
        for one in self._registry.instances(service):
            if one.id == request.path_params["id"]:
                return _instance(request, one)
        return Response(status_code=404)

    async def register(self, request: Request) -> Response:
        """Begin a lease."""
        try:
            body = await _json(request)
            instance = understand(request.path_params["app"].lower(), body)
        except NotAnInstanceError as error:
            return JSONResponse({"message": str(error)}, status_code=400)
        if not self._registry.register(instance):
            return JSONResponse({"message": "the registry is full"}, status_code=503)
        return Response(status_code=204)

    async def renew(self, request: Request) -> Response:
        """Prolong a lease."""
        return _answer(self._registry.renew(*_who(request)))

    async def cancel(self, request: Request) -> Response:
        """End a lease."""
        return _answer(self._registry.cancel(*_who(request)))

    async def status(self, request: Request) -> Response:
        """Set the status; ``DELETE`` puts it back to ``UP`` unless it names another."""
        value = request.query_params.get("value", "UP")
        if len(value) > len("OUT_OF_SERVICE"):
            return JSONResponse({"message": f"no status {value[:40]!r}"}, status_code=400)
        return _answer(self._registry.set_status(*_who(request), value))

    def _applications(
        self, request: Request, described: list[dict[str, Any]], hashed: str | None = None
    ) -> Response:
        document = describe_all(described, self._registry.version)
        if hashed is not None:
            document["apps__hashcode"] = hashed
        if _wants_json(request):
            return JSONResponse({"applications": document})
        return _xml(applications_xml(document))


def registry_app(registry: LeaseRegistry) -> Starlette:
    """Return the application."""
    pages = RegistryPages(registry)
    one = "/eureka/apps/{app}/{id}"
    return Starlette(
        routes=[
            Route("/eureka/apps", pages.everybody),
            Route("/eureka/apps/", pages.everybody),
            Route("/eureka/apps/delta", pages.delta),
            Route("/eureka/vips/{vip}", pages.everybody),
            Route("/eureka/svips/{vip}", pages.everybody),
            Route("/eureka/instances/{id}", pages.instance),
            Route("/eureka/apps/{app}", pages.application),
            Route("/eureka/apps/{app}", pages.register, methods=["POST"]),
            Route(one, pages.instance),
            Route(one, pages.renew, methods=["PUT"]),
            Route(one, pages.cancel, methods=["DELETE"]),
            Route(one + "/status", pages.status, methods=["PUT", "DELETE"]),
        ]
    )


async def _json(request: Request) -> Mapping[str, Any]:
    """Return the body.

    Raises:
        NotAnInstanceError: It is too large, or no JSON object.
    """
    raw = bytearray()
    async for chunk in request.stream():
        raw += chunk
        if len(raw) > LARGEST_BODY:
            raise NotAnInstanceError(f"more than {LARGEST_BODY} bytes; no instance is that large")
    try:
        body = orjson.loads(raw)
    except orjson.JSONDecodeError as error:
        raise NotAnInstanceError(f"not JSON: {error}") from error
    if not isinstance(body, dict):
        raise NotAnInstanceError(f"not a JSON object but {type(body).__name__}")
    return body


def _instance(request: Request, one: Instance) -> Response:
    document = describe(one)
    if _wants_json(request):
        return JSONResponse({"instance": document})
    return _xml(instance_xml(document))


def _wants_json(request: Request) -> bool:
    return "json" in request.headers.get("accept", "")


def _xml(body: bytes) -> Response:
    return Response(body, media_type="application/xml")


def _who(request: Request) -> tuple[str, str]:
    return request.path_params["app"].lower(), request.path_params["id"]


def _answer(known: bool) -> Response:
    return Response(status_code=200 if known else 404)
