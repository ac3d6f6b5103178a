"""HTTP for users who want mail: they ask, say yes from the mail, and leave when they like.

A link in a mail changes nothing by being opened, for programs open links, too: the page that it
leads to has a button. Mail programs leave by one POST (RFC 8058).
"""

from __future__ import annotations

from typing import Any
from urllib.parse import parse_qs

from starlette.concurrency import run_in_threadpool
from starlette.requests import Request
from starlette.responses import HTMLResponse, Response
from starlette.routing import Route

from collectors.errors import ConflictError, InputError, NotFoundError
from collectors.receivers.body import request_body
from runbooks.api.answering import guarded
from runbooks.status_page.office import StatusOffice
from runbooks.status_page.site import page_of

SUBSCRIBE, SUBSCRIPTIONS = "/status/subscribe", "/status/subscriptions"
MAX_SUBSCRIPTION_BYTES = 2_000
HEADERS = {
    "Content-Security-Policy": "default-src 'none'; style-src 'self'; form-action 'self'; "
    "frame-ancestors 'none'",
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "no-referrer",
    "Cache-Control": "no-store",
    "X-Robots-Tag": "noindex",
}
_ASKED = "If this address takes mail, it now has one that asks whether you want more."


def subscription_routes(office: StatusOffice) -> list[Route]:
    """Return the routes for users who want mail."""
    api = _Api(office)
    one = f"{SUBSCRIPTIONS}/{{token}}"
    return [
        Route(SUBSCRIBE, guarded(api.form), methods=["GET"]),
        Route(SUBSCRIBE, guarded(api.ask), methods=["POST"]),
        Route(one, guarded(api.subscription), methods=["GET"]),
        Route(one, guarded(api.answer), methods=["POST"]),
    ]


class _Api:
    """The endpoints; whatever reads the database or sends mail runs off the event loop."""

    def __init__(self, office: StatusOffice) -> None:
        self._office = office

    async def form(self, request: Request) -> Response:
        del request
        self._open()
        return await self._shown("", "How to be told", form=True)

    async def ask(self, request: Request) -> Response:
        self._open()
        fields = await _fields(request)
        address = fields.get("address", "")
        try:
            await run_in_threadpool(lambda: self._office.ask(address, actor="themselves"))
        except InputError as error:
            if not isinstance(error, ConflictError):
                return await self._shown("", error.message, form=True, status=error.status)
            # Whoever asks for another's address is not told whether it is subscribed.
        return await self._shown("", _ASKED)

    async def subscription(self, request: Request) -> Response:
        one = await run_in_threadpool(
            self._office.subscribers.by_token, request.path_params["token"]
        )
        if one.confirmed_ms is None:
            return await self._shown("../", "Do you want to be told by mail?", yes=True)
        return await self._shown("../", "You are told by mail.", leave=True)

    async def answer(self, request: Request) -> Response:
        fields, subscribers = await _fields(request), self._office.subscribers
        one = await run_in_threadpool(subscribers.by_token, request.path_params["token"])
        if fields.get("answer") == "yes":
            await run_in_threadpool(subscribers.confirm, one, self._office.page.now_ms())
            return await self._shown("../", "From now on you are told by mail.", leave=True)
        if fields.get("answer") == "leave" or fields.get("List-Unsubscribe") == "One-Click":
            await run_in_threadpool(subscribers.remove, one.id)
            return await self._shown("../", "You get no further mail.")
        raise InputError("say answer=yes or answer=leave")

    def _open(self) -> None:
        """Refuse who may not even see the page, and where no mail is sent."""
        if not (self._office.public and self._office.takes_letters):
            raise NotFoundError("nobody can subscribe by mail here")

    async def _shown(self, root: str, told: str, *, status: int = 200, **parts: bool) -> Response:
        shown: dict[str, Any] = {"form": False, "yes": False, "leave": False, **parts}
        view = await run_in_threadpool(self._office.page.view)
        body = page_of("subscription.html.j2", view=view, root=root, told=told, **shown)
        return HTMLResponse(body, status_code=status, headers=HEADERS)


async def _fields(request: Request) -> dict[str, str]:
    """Return the fields of a small form."""
    body = await request_body(request, MAX_SUBSCRIPTION_BYTES)
    try:
        found = parse_qs(body.decode(), max_num_fields=10)
    except ValueError as error:
        raise InputError(f"the form can't be read: {error}") from error
    return {name: values[0] for name, values in found.items()}
