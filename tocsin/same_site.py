"""Who may change something from a browser: our own pages, and nobody else's.

A page that somebody has open elsewhere can send requests to any address that its browser reaches,
ours on loopback among them; a name that its owner points at our address (DNS rebinding) makes them
look like our own. A request that changes something is refused when it comes from a page of another
site, or asks for us by a name that is not ours. Where no token is asked for, a name that is not
ours reads nothing either: the page behind it would see all that we know. Programs send no
``Origin`` and are not concerned, as long as they ask for us by an address or a name of ours.

Sources: Fetch standard (``Origin``, ``Sec-Fetch-Site``); OWASP, cross-site request forgery.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable
from fnmatch import fnmatchcase
from ipaddress import ip_address
from urllib.parse import urlsplit

from starlette.datastructures import Headers
from starlette.responses import JSONResponse
from starlette.types import ASGIApp, Receive, Scope, Send

from tocsin.settings import Settings

_SAFE = frozenset({"GET", "HEAD", "OPTIONS"})
_OUR_SITE = frozenset({"", "same-origin", "none"})
_MAX_SHOWN = 100


class OwnNames:
    """The names that we are asked by.

    Addresses, names without a dot and ``localhost`` are always ours: nobody else can point a name
    of these at us.

    Args:
        names: Further names.
        pages: Further names, whose pages are ours as well; ``*`` stands for any text.
    """

    def __init__(self, names: Iterable[str] = (), pages: Iterable[str] = ()) -> None:
        self._pages = tuple(name.lower().rstrip(".") for name in pages)
        self._names = {name.lower().rstrip(".") for name in names if name}

    def has(self, name: str) -> bool:
        """Return whether a host's name, without port, is ours."""
        name = name.lower().rstrip(".")
        given = name in self._names or self.has_page(name)
        return given or "." not in name.removesuffix(".localhost") or _is_ip(name)

    def has_page(self, name: str) -> bool:
        """Return whether pages of a host are ours."""
        return any(fnmatchcase(name.lower(), pattern) for pattern in self._pages)


def own_names(settings: Settings) -> OwnNames:
    """Return the names that the settings tell: where we listen, where others are told to ask."""
    told = [
        urlsplit(url).hostname or "" for url in (*settings.api_url.split(","), settings.cluster_url)
    ]
    return OwnNames([settings.host, *told], settings.allowed_hosts)


class SameSite:
    """An application before another: answers 403 to pages of others that want to change something.

    Args:
        app: What answers everything else.
        names: What we are called.
        anybody: Paths that may be asked for by any name, for who sends there is told apart
            otherwise: receivers, and what is signed.
        open_to_all: Whether no token is asked for: then nothing is read by a strange name.
        public: Beginnings of paths that anybody may read by any name.
        read_by_us: Paths among ``anybody`` at which something is read as well: only by our names.
    """

    def __init__(
        self,
        app: ASGIApp,
        names: OwnNames,
        anybody: Collection[str],
        *,
        open_to_all: bool = False,
        public: Collection[str] = (),
        read_by_us: Collection[str] = (),
    ) -> None:
        self._read_by_us = frozenset(read_by_us)
        self._public = tuple(public)
        self._app = app
        self._names = names
        self._anybody = frozenset(anybody)
        self._open_to_all = open_to_all

    async def __call__(self, scope: Scope, receive: Receive, send: Send) -> None:
        """Answer one request."""
        reason = self._reason(scope) if scope["type"] == "http" else ""
        if reason:
            body = {"type": "error", "message": reason}
            await JSONResponse(body, 403)(scope, receive, send)
            return
        await self._app(scope, receive, send)

    def _reason(self, scope: Scope) -> str:
        headers, by_any_name = Headers(scope=scope), scope["path"] in self._anybody
        if scope["method"] not in _SAFE:
            return refusal(headers, by_any_name, self._names)
        published = any(scope["path"].startswith(beginning) for beginning in self._public)
        by_any_name = by_any_name and scope["path"] not in self._read_by_us
        if by_any_name or published or not self._open_to_all:
            return ""
        return strange_name(headers, self._names)


def refusal(headers: Headers, by_any_name: bool, names: OwnNames) -> str:
    """Return why a request that changes something is refused; empty if it is not."""
    host, origin = headers.get("host", ""), headers.get("origin")
    site = headers.get("sec-fetch-site", "")
    if origin is not None and not _is_ours(origin, host, names):
        return (
            f"a page of {origin[:_MAX_SHOWN]!r} may not change anything here; name its host in "
            "TOCSIN_ALLOWED_HOSTS if it is yours"
        )
    if origin is None and site not in _OUR_SITE:
        return "a page of another site may not change anything here (Sec-Fetch-Site)"
    if by_any_name and origin is None:
        return ""
    return strange_name(headers, names)


def strange_name(headers: Headers, names: OwnNames) -> str:
    """Return why a request is refused that asks for us by a name; empty if it is ours."""
    host = headers.get("host", "")
    if host and not names.has(_name_of(host)):
        return (
            f"{host[:_MAX_SHOWN]!r} is not known as a name of this server; add it to "
            "TOCSIN_ALLOWED_HOSTS if it is"
        )
    return ""


def _is_ours(origin: str, host: str, names: OwnNames) -> bool:
    try:
        parts = urlsplit(origin)
        name = parts.hostname or ""
    except ValueError:
        return False
    if not name or parts.scheme not in {"http", "https"}:
        return False
    return parts.netloc.lower() == host.lower() or names.has_page(name)


def _name_of(host: str) -> str:
    try:
        return urlsplit(f"//{host}").hostname or ""
    except ValueError:
        return host


def _is_ip(name: str) -> bool:
    try:
        ip_address(name)
    except ValueError:
        return False
    return True
