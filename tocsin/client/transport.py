"""HTTP for the clients: JSON objects in and out, and one kind of failure."""

from __future__ import annotations

import re
import ssl
from collections.abc import Iterator, Mapping, Sequence
from typing import Any
from urllib.parse import quote, urlencode

import httpx2

from tocsin.client.errors import (
    AnswerError,
    MissingError,
    RefusedError,
    UnreachableError,
    UnreadableError,
)
from tocsin.client.wording import duration, trimmed

JsonObject = dict[str, Any]
ParamValue = str | int | float | Sequence[str]
"""Of a parameter; a sequence is given several times."""

PERSON = "Tocsin-Person"
"""The header that names, percent-encoded, whom a token speaks for."""

MAX_MESSAGE_CHARS = 500
NOT_MODIFIED = 304
_SAFE = frozenset({"GET", "HEAD"})
_NEVER_SENT = (httpx2.ConnectError, httpx2.ConnectTimeout)
# A stream that is alive says so every ten seconds.
_STREAM_TIMEOUT_S = 60.0
# Atlas's answers begin with the name of a Java class, which tells people nothing.
_JAVA_NAME = re.compile(r"^(?:[A-Za-z.]*(?:Exception|Error): )?(?:requirement failed: )?")


class Transport:
    """HTTP with one kind of failure: every problem becomes a :class:`ClientError`.

    Args:
        base_url: Scheme, host and port; of several nodes with commas between them: the next is
            asked where one can't be reached, and from then on.
        timeout_s: Longest wait for an answer, seconds.
        token: Goes with every request; empty: none does.
        person: E-mail address of whom the token speaks for; empty: for itself.
        ca: File of the certificates (PEM) that may sign the server's; empty: the machine's own.

    Raises:
        UnreachableError: ``ca`` can't be read.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout_s: float,
        token: str = "",
        person: str = "",
        ca: str = "",
    ) -> None:
        self._urls = [one.strip().rstrip("/") for one in base_url.split(",") if one.strip()] or [""]
        self._timeout_s = timeout_s
        # An HTTP proxy in the environment must not swallow requests to loopback.
        headers = {"Authorization": f"Bearer {token}"} if token else {}
        if person:
            headers[PERSON] = quote(person, safe="@.+-_")
        self._http = httpx2.Client(
            timeout=timeout_s, trust_env=False, headers=headers, verify=_trusted(ca)
        )

    @property
    def base_url(self) -> str:
        """Whom it asks."""
        return self._urls[0]

    def close(self) -> None:
        """Close the connections."""
        self._http.close()

    def text(self, path: str, params: Mapping[str, ParamValue] | None = None) -> str:
        """Return the body of ``GET path``."""
        return self.send("GET", path, params=params).text

    def get(self, path: str, params: Mapping[str, ParamValue] | None = None) -> JsonObject:
        """Return the JSON object that ``GET path`` answers."""
        return json_object(self.send("GET", path, params=params))

    def newer(self, path: str, version: str) -> JsonObject | None:
        """Return the JSON object that ``GET path`` answers, None if it is ``version`` still."""
        known = {"If-None-Match": f'"{version}"'} if version else {}
        answer = self.send("GET", path, headers=known)
        return None if answer.status_code == NOT_MODIFIED else json_object(answer)

    def post(self, path: str, body: JsonObject) -> JsonObject:
        """Return the JSON object that ``POST path`` answers."""
        return json_object(self.send("POST", path, json=body))

    def put(self, path: str, body: JsonObject) -> JsonObject:
        """Return the JSON object that ``PUT path`` answers."""
        return json_object(self.send("PUT", path, json=body))

    def stream(self, path: str, params: Mapping[str, ParamValue] | None = None) -> Iterator[str]:
        """Yield the lines of an answer as they come; silence for a minute is the end."""
        asked = self.base_url
        try:
            with self._http.stream(
                "GET", asked + path, params=dict(params or {}), timeout=_STREAM_TIMEOUT_S
            ) as answer:
                if answer.status_code >= 400:
                    answer.read()
                    raise answer_error(answer)
                yield from answer.iter_lines()
        except (httpx2.HTTPError, httpx2.InvalidURL) as error:
            raise self._unreached(asked, path, error) from error

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, ParamValue] | None = None,
        json: JsonObject | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """Return the answer to one request, whose status is below 400."""
        asking, heads = dict(params or {}), dict(headers or {})
        for last in (*[False] * (len(self._urls) - 1), True):
            asked = self.base_url
            try:
                answer = self._http.request(
                    method, asked + path, params=asking, json=json, headers=heads
                )
                break
            except (httpx2.HTTPError, httpx2.InvalidURL) as error:
                # What may have been done is not asked for once more.
                if last or not (method in _SAFE or isinstance(error, _NEVER_SENT)):
                    raise self._unreached(asked, path, error) from error
                self._ask_another(asked)
        if answer.status_code >= 400:
            raise answer_error(answer)
        return answer

    def _ask_another(self, silent: str) -> None:
        """Put whoever does not answer behind the others, once."""
        if self._urls[0] == silent:
            self._urls = [*self._urls[1:], silent]

    def _unreached(self, asked: str, path: str, error: Exception) -> UnreachableError:
        self._ask_another(asked)
        if isinstance(error, httpx2.TimeoutException):
            waited = duration(self._timeout_s)
            return UnreachableError(f"{asked}{path} did not answer within {waited}")
        return UnreachableError(f"{asked} can't be reached: {error}")


def _trusted(ca: str) -> ssl.SSLContext | bool:
    if not ca:
        return True
    try:
        return ssl.create_default_context(cafile=ca)
    except (OSError, ssl.SSLError) as error:
        told = f"TOCSIN_API_CA = {ca}: {error}; name a file in PEM"
        raise UnreachableError(told) from error


def answer_error(answer: httpx2.Response) -> AnswerError:
    """Return what an answer says of a failure."""
    kinds = {404: MissingError, 409: RefusedError}
    kind = kinds.get(answer.status_code, AnswerError)
    return kind(_server_message(answer), status=answer.status_code)


def _server_message(answer: httpx2.Response) -> str:
    try:
        body = answer.json()
    except ValueError:
        body = None
    # Alertmanager's own routes answer a text.
    message = body if isinstance(body, str) else None
    if isinstance(body, dict):
        message = body.get("message") or body.get("error")
    if not message:
        return f"HTTP {answer.status_code}: {shortened(answer.text)}"
    return _JAVA_NAME.sub("", str(message), count=1)


def address(path: str, params: Mapping[str, ParamValue] | None = None) -> str:
    """Return the path and query of a question, as it is asked together with others.

    >>> address("/api/v1/tags", {"q": "a,b,:eq", "k": ["x", "y"]})
    '/api/v1/tags?q=a%2Cb%2C%3Aeq&k=x&k=y'
    """
    return f"{path}?{urlencode(params, doseq=True)}" if params else path


def parsed(answer: httpx2.Response) -> object:
    """Return the JSON of an answer, whatever its shape."""
    try:
        return answer.json()
    except ValueError as error:
        text = shortened(answer.text)
        raise UnreadableError(f"{answer.url} answered no JSON but {text}") from error


def json_object(answer: httpx2.Response) -> JsonObject:
    """Return the JSON object of an answer."""
    body = parsed(answer)
    if not isinstance(body, dict):
        raise UnreadableError(f"{answer.url} answered no object but {shortened(answer.text)}")
    return body


def json_list(answer: httpx2.Response) -> list[JsonObject]:
    """Return the JSON list of an answer."""
    body = parsed(answer)
    if not isinstance(body, list):
        raise UnreadableError(f"{answer.url} answered no list but {shortened(answer.text)}")
    return body


def list_in(answer: JsonObject, key: str, path: str) -> list[JsonObject]:
    """Return the list that an answer to ``path`` keeps under ``key``."""
    found = answer.get(key)
    if not isinstance(found, list):
        raise UnreadableError(f"{path} answered without a list {key!r}: {shortened(str(answer))}")
    return found


def shortened(text: str) -> str:
    """Return ``text`` short enough for a message."""
    return trimmed(text, MAX_MESSAGE_CHARS)
