"""A provider of OpenID Connect on loopback that vouches for whomever a test says."""

from __future__ import annotations

import base64
import hashlib
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from urllib.parse import parse_qs, urlencode

import uvicorn
from joserfc import jwt
from joserfc.jwk import RSAKey
from starlette.applications import Starlette
from starlette.requests import Request
from starlette.responses import JSONResponse, RedirectResponse, Response
from starlette.routing import Route

from tocsin.sockets import EmbeddedServer, listen_tcp, port_of

CLIENT_ID = "pages"
CLIENT_SECRET = "of-the-pages"


@dataclass
class Provider:
    """Signs whoever comes in with ``claims``.

    Attributes:
        url: Where it answers.
        claims: What it says of the next one.
        redirect_uri: Where alone it sends people back to.
    """

    url: str
    claims: dict[str, Any] = field(default_factory=dict)
    redirect_uri: str = ""
    _key: RSAKey = field(default_factory=lambda: RSAKey.generate_key(2048, {"kid": "one"}))
    _codes: dict[str, dict[str, str]] = field(default_factory=dict)

    @property
    def metadata_url(self) -> str:
        """Where it describes itself."""
        return f"{self.url}/.well-known/openid-configuration"

    def app(self) -> Starlette:
        """Return what answers."""
        return Starlette(
            routes=[
                Route("/.well-known/openid-configuration", self._describe),
                Route("/authorize", self._authorize),
                Route("/token", self._token, methods=["POST"]),
                Route("/jwks", self._keys),
            ]
        )

    async def _describe(self, _request: Request) -> Response:
        return JSONResponse(
            {
                "issuer": self.url,
                "authorization_endpoint": f"{self.url}/authorize",
                "token_endpoint": f"{self.url}/token",
                "jwks_uri": f"{self.url}/jwks",
                "response_types_supported": ["code"],
                "subject_types_supported": ["public"],
                "id_token_signing_alg_values_supported": ["RS256"],
            }
        )

    async def _authorize(self, request: Request) -> Response:
        asked = dict(request.query_params)
        if asked["client_id"] != CLIENT_ID or asked["redirect_uri"] != self.redirect_uri:
            return JSONResponse({"error": "unauthorized_client"}, 400)
        code = f"code-{time.monotonic_ns()}"
        self._codes[code] = asked
        back = urlencode({"code": code, "state": asked["state"]})
        return RedirectResponse(f"{asked['redirect_uri']}?{back}")

    async def _token(self, request: Request) -> Response:
        form = {k: v[0] for k, v in parse_qs((await request.body()).decode()).items()}
        asked = self._codes.pop(form.get("code", ""), None)
        if asked is None or not _is_client(request, form) or not _is_same(asked, form):
            return JSONResponse({"error": "invalid_grant"}, 400)
        now_s = int(time.time())
        told = {"iss": self.url, "aud": CLIENT_ID, "iat": now_s, "exp": now_s + 600, **self.claims}
        told["nonce"] = asked.get("nonce")
        signed = jwt.encode({"alg": "RS256", "kid": "one"}, told, self._key)
        return JSONResponse({"access_token": "a", "token_type": "Bearer", "id_token": signed})

    async def _keys(self, _request: Request) -> Response:
        return JSONResponse({"keys": [self._key.as_dict(private=False)]})


def _is_client(request: Request, form: dict[str, str]) -> bool:
    basic = base64.b64encode(f"{CLIENT_ID}:{CLIENT_SECRET}".encode()).decode()
    given = request.headers.get("authorization", "")
    return given == f"Basic {basic}" or form.get("client_secret") == CLIENT_SECRET


def _is_same(asked: dict[str, str], form: dict[str, str]) -> bool:
    """Return whether who redeems the code is who asked for it, by PKCE where it was used."""
    challenge = asked.get("code_challenge")
    digest = hashlib.sha256(form.get("code_verifier", "").encode()).digest()
    return challenge in {None, base64.urlsafe_b64encode(digest).rstrip(b"=").decode()}


@contextmanager
def provider() -> Iterator[Provider]:
    """Serve a provider in a thread."""
    sock = listen_tcp("127.0.0.1", 0, "PORT")
    # By name: cookies tell no ports apart, and the pages are at the address.
    found = Provider(url=f"http://localhost:{port_of(sock)}")
    server = EmbeddedServer(uvicorn.Config(found.app(), log_level="warning"))
    thread = threading.Thread(target=server.run, kwargs={"sockets": [sock]})
    thread.start()
    try:
        yield found
    finally:
        server.should_exit = True
        thread.join()
        sock.close()
