"""The licence service: issues licences, renews them, and says why it does not.

A licence holds the key of its title, as a Clear Key licence does.
"""

from __future__ import annotations

from typing import Any

from starlette.requests import Request
from starlette.responses import JSONResponse, Response
from starlette.routing import Route
from starlette.types import ASGIApp

from demo_stack.chassis.bodies import read_object
from demo_stack.chassis.context import ServiceContext
from demo_stack.chassis.errors import ServiceError
from demo_stack.chassis.instrumented import service_app
from demo_stack.services.licences.tokens import Binding, Licence, LicenceRefusedError, Licensor
from demo_stack.services.licences.vault import KeyVault

SIGN_S = 0.001
MAX_NAME_LENGTH = 200


class Licences:
    """The handlers."""

    def __init__(self, context: ServiceContext, licensor: Licensor) -> None:
        self._context = context
        self._licensor = licensor
        self._vault = KeyVault(context.seed)
        self._count = context.telemetry.meter.create_counter(
            "licences.requests",
            unit="{licence}",
            description="Licences that were issued, renewed or refused.",
        )

    async def issue(self, request: Request) -> Response:
        """``POST /licences {title, device, session}``: a licence."""
        binding = _binding(await read_object(request))
        await self._context.reach("licences.issue", device=binding.device, title=binding.title)
        await self._context.work(SIGN_S)
        return self._answer("issued", *self._licensor.issue(binding))

    async def renew(self, request: Request) -> Response:
        """``POST /renewals {token, title, device, session}``: a licence that lasts longer."""
        body = await read_object(request)
        binding = _binding(body)
        await self._context.reach("licences.renew", device=binding.device, title=binding.title)
        await self._context.work(SIGN_S)
        try:
            renewed = self._licensor.renew(str(body.get("token", "")), binding)
        except LicenceRefusedError as refused:
            self._count.add(1, {"outcome": "refused", "error.type": refused.reason.value})
            raise ServiceError(
                str(refused), status=403, error_type=refused.reason.value
            ) from refused
        return self._answer("renewed", *renewed)

    def _answer(self, outcome: str, token: str, licence: Licence) -> Response:
        self._count.add(1, {"outcome": outcome})
        key = self._vault.key_of(licence.binding.title)
        answer = {"token": token, "expires_s": licence.exp, "keys": [key.as_jwk()]}
        return JSONResponse(answer, status_code=201)


def build(context: ServiceContext) -> ASGIApp:
    """Return the application."""
    licences = Licences(context, Licensor(context.seed))
    routes = [
        Route("/licences", licences.issue, methods=["POST"]),
        Route("/renewals", licences.renew, methods=["POST"]),
    ]
    return service_app([*routes], context)


def _binding(body: dict[str, Any]) -> Binding:
    values = {name: body.get(name) for name in ("title", "device", "session")}
    wrong = [
        name
        for name, value in values.items()
        if not isinstance(value, str) or not 0 < len(value) <= MAX_NAME_LENGTH
    ]
    if wrong:
        raise ServiceError(f"a licence needs {', '.join(wrong)} as short texts", status=400)
    return Binding(**{name: str(value) for name, value in values.items()})
