"""Stands before the pages: nothing of them, sockets included, is for who has not signed in."""

from __future__ import annotations

from collections.abc import Callable
from urllib.parse import parse_qs, quote, urlsplit

import anyio.to_thread
from starlette.requests import Request
from starlette.responses import HTMLResponse, PlainTextResponse, RedirectResponse, Response
from starlette.types import ASGIApp, Receive, Scope, Send

from dashboards.login import forms
from dashboards.login.sessions import COOKIE, LIFETIME_MS, Session, Sessions
from tocsin.client.errors import AnswerError, ClientError
from tocsin.client.whoami import Whoami

LOGIN_PATH = "/login"
LOGOUT_PATH = "/logout"
MAX_FORM_BYTES = 8_192
"""A longer form is no token; 413."""

_OPEN = frozenset({"/_stcore/health"})
"""What load balancers ask; it tells nothing."""

_POLICY = (
    "default-src 'none'; style-src 'unsafe-inline'; form-action 'self'; frame-ancestors 'none'"
)
_HEADERS = {
    "Content-Security-Policy": _POLICY,
    "Cache-Control": "no-store",
    "Referrer-Policy": "same-origin",
    "X-Content-Type-Options": "nosniff",
}

Ask = Callable[[str], Whoami]
"""Asks the API who a token is; raises :class:`ClientError` if it can't or won't tell."""


class LoginGate:
    """An ASGI application before the pages.

    Args:
        app: The pages.
        sessions: Who has signed in.
        ask: Tells who a token is.
    """

    def __init__(self, app: ASGIApp, sessions: Sessions, ask: Ask) -> None:
        self._app = app
        self._sessions = sessions
        self._ask = ask

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Let those pass who have signed in."""
        if scope["type"] not in {"http", "websocket"} or scope["path"] in _OPEN:
            await self._app(scope, receive, send)
            return
        if scope["type"] == "http" and scope["path"] in {LOGIN_PATH, LOGOUT_PATH}:
            answer = await self._answer(Request(scope, receive))
            answer.headers.update(_HEADERS)
            await answer(scope, receive, send)
        elif self._session(scope) is not None:
            await self._app(scope, receive, send)
        elif scope["type"] == "websocket":
            # Before it is accepted: the server answers the handshake with 403.
            await send({"type": "websocket.close", "code": 1008})
        else:
            await _sent_away(Request(scope))(scope, receive, send)

    def _session(self, scope: Scope) -> Session | None:
        cookies = _cookies(scope)
        return self._sessions.find(cookies) if cookies else None

    async def _answer(self, request: Request) -> Response:
        if request.method == "GET":
            session = self._session(request.scope)
            if request.url.path == LOGOUT_PATH and session is not None:
                return HTMLResponse(forms.sign_out(session.name))
            return HTMLResponse(forms.sign_in(_next(request.query_params.get("next", "/"))))
        if request.method != "POST":
            return PlainTextResponse("GET or POST", status_code=405)
        if not _is_own(request):
            return PlainTextResponse("this form belongs to another site", status_code=403)
        if request.url.path == LOGOUT_PATH:
            return self._sign_out(request)
        return await self._sign_in(request)

    def _sign_out(self, request: Request) -> Response:
        self._sessions.end(request.cookies.get(COOKIE, ""))
        answer = RedirectResponse(LOGIN_PATH, status_code=303)
        answer.delete_cookie(COOKIE)
        return answer

    async def _sign_in(self, request: Request) -> Response:
        fields = await _form(request)
        if fields is None:
            return PlainTextResponse("that is no token", status_code=413)
        token, back = fields.get("token", "").strip(), _next(fields.get("next", "/"))
        if not token.isascii() or not token.isprintable() or not token:
            return _again(back, "Give the token that you were given.", 400)
        try:
            who = await anyio.to_thread.run_sync(self._ask, token)
        except AnswerError as error:
            return _again(back, f"That token opens nothing: {error.message}", 403)
        except ClientError as error:
            return _again(back, f"The API can't be asked: {error.message}", 502)
        if "read" not in who["rights"]:
            return _again(back, f"{who['name']} is {who['role']} and may see nothing.", 403)
        answer = RedirectResponse(back, status_code=303)
        answer.set_cookie(
            COOKIE,
            self._sessions.begin(who["name"], who["role"], token),
            max_age=LIFETIME_MS // 1_000,
            httponly=True,
            # Lax: links in messages lead here from another site.
            samesite="lax",
            secure=request.url.scheme == "https"
            or request.headers.get("x-forwarded-proto") == "https",
        )
        return answer


def _again(back: str, told: str, status: int) -> Response:
    return HTMLResponse(forms.sign_in(back, told), status_code=status)


def _cookies(scope: Scope) -> str:
    return Request({**scope, "type": "http", "method": "GET"}).cookies.get(COOKIE, "")


def _sent_away(request: Request) -> Response:
    if request.method == "GET" and "text/html" in request.headers.get("accept", ""):
        back = request.url.path + (f"?{request.url.query}" if request.url.query else "")
        return RedirectResponse(f"{LOGIN_PATH}?next={quote(back, safe='')}", status_code=303)
    return PlainTextResponse("sign in at /login", status_code=401)


def _next(path: str) -> str:
    """Return where to go after: a path of ours, never another site.

    >>> _next("/war-room?incident=inc-1"), _next("//evil.example"), _next("https://evil.example")
    ('/war-room?incident=inc-1', '/', '/')
    """
    # Browsers take a backslash for a slash, and leave out control characters.
    clean = path.isprintable() and "\\" not in path
    ours = clean and path.startswith("/") and not path.startswith("//")
    return path if ours and urlsplit(path).netloc == "" else "/"


def _is_own(request: Request) -> bool:
    origin = request.headers.get("origin")
    if origin is None:
        return request.headers.get("sec-fetch-site", "same-origin") in {"same-origin", "none"}
    return urlsplit(origin).netloc.lower() == request.headers.get("host", "").lower()


async def _form(request: Request) -> dict[str, str] | None:
    """Return the fields of a form, None if it is too long."""
    body = b""
    async for chunk in request.stream():
        body += chunk
        if len(body) > MAX_FORM_BYTES:
            return None
    fields = parse_qs(body.decode("utf-8", "replace"), max_num_fields=10, keep_blank_values=True)
    return {name: values[0] for name, values in fields.items()}
