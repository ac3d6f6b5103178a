"""Asking a host of the allow-list: no redirects, no proxy, an end, a bounded answer."""

from __future__ import annotations

import time
from dataclasses import dataclass
from threading import Event

import httpx2

from collectors.errors import InputError
from runbooks.automation.allowing import Allowed, Host
from runbooks.automation.runbook import READING_METHODS, Request
from runbooks.automation.state import Outcome, StepState
from runbooks.automation.variables import SECRET, Values, in_header, in_json, in_path

MAX_ANSWER_BYTES = 65_536
"""Bytes of an answer that are read."""

_MAX_SHOWN = 2_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Asked:
    """A request with its values filled in, ready to be sent."""

    method: str
    url: str
    headers: dict[str, str]
    body: str


def asked(request: Request, allowed: Allowed, values: Values) -> Asked:
    """Return a request as it would be sent.

    Raises:
        InputError: The host, the method or the path is not allowed, or a value is not known.
    """
    host: Host | None = allowed.hosts.get(request.host)
    if host is None:
        raise InputError(f"automation.yaml names no host {request.host!r}")
    path = in_path(request.path, values)
    if not host.takes(request.method, path):
        raise InputError(f"automation.yaml does not allow {request.method} {path} on {host.url}")
    known = {**values, **{f"{SECRET}{name}": told for name, told in allowed.secrets.items()}}
    headers = {"Accept-Encoding": "identity"}
    headers |= {name: in_header(value, known) for name, value in request.headers}
    body = in_json(request.body, known) if request.body else ""
    if body:
        headers.setdefault("Content-Type", "application/json")
    return Asked(method=request.method, url=host.url + path, headers=headers, body=body)


def ask(
    request: Asked, statuses: tuple[int, ...], *, timeout_s: float, cancelled: Event
) -> Outcome:
    """Send a request; an answer that is lost after something may have changed is not known."""
    until_s = time.monotonic() + timeout_s
    changing = request.method not in READING_METHODS
    try:
        with (
            httpx2.Client(timeout=timeout_s, trust_env=False, follow_redirects=False) as client,
            client.stream(
                request.method,
                request.url,
                headers=request.headers,
                content=request.body.encode() or None,
            ) as answer,
        ):
            body = _body(answer, until_s, cancelled)
    except (httpx2.ConnectError, httpx2.ConnectTimeout, httpx2.InvalidURL) as error:
        text = f"{_origin(request)} can't be reached: {error}"
        return Outcome(state=StepState.FAILED, text=text)
    except (httpx2.HTTPError, TimeoutError) as error:
        state = StepState.UNKNOWN if changing else StepState.FAILED
        unknown = "; whether it was done is not known" if changing else ""
        reason = str(error) or type(error).__name__
        return Outcome(state=state, text=f"no whole answer came: {reason}{unknown}")
    return _told(answer.status_code, body, statuses)


def _told(status: int, body: str, statuses: tuple[int, ...]) -> Outcome:
    well = status in statuses if statuses else 200 <= status < 300
    shown = body if len(body) <= _MAX_SHOWN else f"{body[:_MAX_SHOWN]}…"
    told = f"answered {status}"
    if 300 <= status < 400 and not well:
        told += ", a redirect: it is not followed"
    text = f"{told}: {shown}" if shown.strip() else told
    state = StepState.SUCCEEDED if well else StepState.FAILED
    return Outcome(state=state, text=text, data={"status": status})


def _body(answer: httpx2.Response, until_s: float, cancelled: Event) -> str:
    kept = b""
    # As it comes: what waits for a whole chunk would wait for as long as a host drips.
    for piece in answer.iter_raw():
        kept += piece[: MAX_ANSWER_BYTES - len(kept)]
        if len(kept) >= MAX_ANSWER_BYTES:
            break
        if time.monotonic() > until_s or cancelled.is_set():
            raise TimeoutError("it took too long" if not cancelled.is_set() else "aborted")
    return kept.decode("utf-8", "replace")


def _origin(request: Asked) -> str:
    return "/".join(request.url.split("/")[:3])
