"""The client side of a call: one span, the context in the headers, errors in one shape."""

from __future__ import annotations

import time
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

import httpx2
from opentelemetry.trace import Span, SpanKind, Status, StatusCode

from demo_stack.chassis.balancing import Balancer
from demo_stack.chassis.disturbance import InjectionPoints
from demo_stack.chassis.errors import DependencyError, ServiceError
from demo_stack.chassis.propagation import outgoing_headers
from demo_stack.chassis.telemetry import Telemetry

DEFAULT_TIMEOUT_S = 3.0
CONNECT_TIMEOUT_S = 1.0


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A request to another service.

    Attributes:
        service: Whom to call.
        method: HTTP method.
        route: Path as a template (``/titles/{title}``): names the span.
        path: Path to request; the route itself when empty.
        json: Body, or ``None``.
        headers: More headers.
        timeout_s: When to give up, in seconds.
        avoid: Instances that failed this request already.
    """

    service: str
    method: str
    route: str
    path: str = ""
    json: Any = None
    headers: Mapping[str, str] | None = None
    timeout_s: float = DEFAULT_TIMEOUT_S
    avoid: frozenset[str] = frozenset()


class ServiceClient:
    """Calls other services by name.

    Args:
        telemetry: The caller's.
        transport: Reaches the addresses of the directory.
        balancer: Finds an instance of the service called.
        points: Where failures of calls can be injected, if anywhere.
        attributes: Put on every span, such as the region a viewer is in.
    """

    def __init__(
        self,
        telemetry: Telemetry,
        transport: httpx2.AsyncBaseTransport,
        balancer: Balancer,
        points: InjectionPoints | None = None,
        attributes: Mapping[str, str] | None = None,
    ) -> None:
        self._telemetry = telemetry
        self._transport = transport
        self._balancer = balancer
        self._points = points
        self._attributes = dict(attributes or {})

    def toward(self, balancer: Balancer) -> ServiceClient:
        """Return a client of the same instance that finds others by another balancer."""
        return ServiceClient(
            self._telemetry, self._transport, balancer, self._points, self._attributes
        )

    async def send(self, call: Call) -> httpx2.Response:
        """Make the call.

        Returns:
            The response, whose status is below 500.

        Raises:
            DependencyError: No answer in time, no instance, or a status of 500 and above.
        """
        labels = {
            "http.request.method": call.method,
            "service.peer.name": call.service,
            "url.template": call.route,
        }
        started = time.perf_counter()
        with self._telemetry.tracer.start_as_current_span(
            f"{call.method} {call.route}",
            kind=SpanKind.CLIENT,
            attributes={**labels, **self._attributes, **_resend(call)},
            record_exception=False,
            set_status_on_exception=False,
        ) as span:
            try:
                response = await self._balanced(call)
            except DependencyError as error:
                labels["error.type"] = error.error_type
                if error.error_type == str(error.status):
                    span.set_attribute("http.response.status_code", error.status)
                span.set_attribute("error.type", error.error_type)
                span.set_status(Status(StatusCode.ERROR, str(error)))
                self._telemetry.log.warning(
                    "calling {peer} failed: {reason}",
                    peer=call.service,
                    reason=str(error),
                    **{"error.type": error.error_type},
                )
                raise
            else:
                labels["http.response.status_code"] = str(response.status_code)
                _write_status(span, response.status_code)
                return response
            finally:
                self._telemetry.client_duration.record(time.perf_counter() - started, labels)

    async def json(self, call: Call) -> Any:
        """Make the call and return what its JSON body holds.

        Raises:
            DependencyError: As :meth:`send`, and for a status of 400 and above.
        """
        response = await self.send(call)
        if response.status_code >= 400:
            raise DependencyError(call.service, response.text, status=response.status_code)
        return response.json()

    async def _balanced(self, call: Call) -> httpx2.Response:
        address = self._balancer.choose(call.service, call.avoid)
        self._balancer.begin(address)
        failed, started = True, time.perf_counter()
        try:
            response = await self._request(call, address)
            failed = response.status_code >= 500
        finally:
            seconds = time.perf_counter() - started
            self._balancer.end(address, failed=failed, seconds=seconds)
        if failed:
            status = response.status_code
            raise DependencyError(
                call.service, f"answered {status}", status=status, address=address
            )
        return response

    async def _request(self, call: Call, address: str) -> httpx2.Response:
        request = httpx2.Request(
            call.method,
            address + (call.path or call.route),
            json=call.json,
            headers={**(call.headers or {}), **outgoing_headers()},
            extensions={"timeout": {"connect": CONNECT_TIMEOUT_S, "read": call.timeout_s}},
        )
        try:
            await self._pass_point(call)
            response = await self._transport.handle_async_request(request)
            await response.aread()
        except httpx2.TimeoutException as error:
            raise _no_answer(call, error, address, status=504) from error
        except httpx2.TransportError as error:
            raise _no_answer(call, error, address, status=503) from error
        return response

    async def _pass_point(self, call: Call) -> None:
        if self._points is None:
            return
        facts = {"caller": self._telemetry.identity.service, "route": call.route}
        try:
            await self._points.reach(f"call.{call.service}", facts)
        except ServiceError as error:
            raise httpx2.ConnectError(str(error)) from error


def _resend(call: Call) -> dict[str, int]:
    return {"http.request.resend_count": len(call.avoid)} if call.avoid else {}


def _write_status(span: Span, status: int) -> None:
    span.set_attribute("http.response.status_code", status)
    if 400 <= status < 500:
        span.set_attribute("error.type", str(status))
        span.set_status(Status(StatusCode.ERROR))


def _no_answer(call: Call, error: Exception, address: str, *, status: int) -> DependencyError:
    name = type(error).__name__
    return DependencyError(
        call.service, f"no answer ({name})", status=status, error_type=name, address=address
    )
