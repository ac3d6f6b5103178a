"""Stands before gRPC services: a call without the right to send is not carried out."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any

import grpc
from starlette.datastructures import Headers

from tocsin.access.gate import Gatekeeper, secret_of
from tocsin.access.rights import Right

_CODES = {
    401: grpc.StatusCode.UNAUTHENTICATED,
    403: grpc.StatusCode.PERMISSION_DENIED,
    503: grpc.StatusCode.UNAVAILABLE,
}


class CallGate(grpc.aio.ServerInterceptor):  # type: ignore[misc]  # gRPC has no types
    """Lets calls pass whose metadata carry a token that may send.

    Args:
        keeper: Decides.
    """

    def __init__(self, keeper: Gatekeeper) -> None:
        self._keeper = keeper

    async def intercept_service(
        self, continuation: Callable[[Any], Awaitable[Any]], details: Any
    ) -> Any:
        """Return the handler of a call, or one that says why there is none."""
        raw = [(str(key), str(value)) for key, value in details.invocation_metadata or ()]
        secret = secret_of(Headers(headers=dict(raw)))
        verdict = self._keeper.judge(Right.SEND, secret)
        if not verdict.status:
            return await continuation(details)

        async def refuse(_messages: Any, context: Any) -> None:
            await context.abort(_CODES[verdict.status], verdict.reason)

        return grpc.stream_unary_rpc_method_handler(refuse)
