"""HTTP that asks many questions at once, ahead of those who ask them one by one."""

from __future__ import annotations

import json
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import contextmanager
from dataclasses import dataclass
from threading import Lock, local

import httpx2

from tocsin.client.errors import AnswerError, UnreadableError
from tocsin.client.together.known import Known
from tocsin.client.transport import (
    NOT_MODIFIED,
    JsonObject,
    ParamValue,
    Transport,
    address,
    answer_error,
)

PATH = "/api/v2/together"
_JSON = "application/json"
_MAX_TOGETHER = 100
# What was brought and is not asked for by then has changed, or is asked for no longer.
_FRESH_S = 3.0
# A server that does not know the path may be another by then.
_AGAIN_S = 60.0
_ALONE = frozenset({406, 413})


@dataclass(frozen=True, slots=True, kw_only=True)
class _Brought:
    answer: httpx2.Response
    at_s: float


class Together(Transport):
    """HTTP whose questions may have been asked ahead, many in one request.

    Args:
        base_url: As of :class:`Transport`.
        timeout_s: As of :class:`Transport`.
        token: As of :class:`Transport`.
        person: As of :class:`Transport`.
        ca: As of :class:`Transport`.
        now_s: A clock that goes on.
    """

    def __init__(
        self,
        base_url: str,
        *,
        timeout_s: float,
        token: str = "",
        person: str = "",
        ca: str = "",
        now_s: Callable[[], float] = time.monotonic,
    ) -> None:
        super().__init__(base_url, timeout_s=timeout_s, token=token, person=person, ca=ca)
        self._now_s = now_s
        self._known = Known()
        self._brought: OrderedDict[str, _Brought] = OrderedDict()
        self._unasked: OrderedDict[str, None] = OrderedDict()
        self._lock, self._asking = Lock(), Lock()
        self._not_before_s = float("-inf")
        self._notes = local()

    @contextmanager
    def noting(self) -> Iterator[list[str]]:
        """Yield a list to which every address is added that this thread asks for meanwhile."""
        before, found = getattr(self._notes, "found", None), list[str]()
        self._notes.found = found
        try:
            yield found
        finally:
            self._notes.found = before

    def has(self, urls: Sequence[str]) -> bool:
        """Return whether the answers to all of some addresses have been brought."""
        with self._lock:
            return bool(urls) and all(self._fresh(url) for url in urls)

    def ahead(self, urls: Sequence[str]) -> None:
        """Ask for addresses that will be asked for in a moment, all in one request.

        What was brought before and not asked for is left out, and a single one is left to itself.

        Raises:
            UnreachableError: Nobody answered.
        """
        # Who comes second finds what the first has brought.
        with self._asking:
            with self._lock:
                here = {url for url in [*self._brought] if self._fresh(url)}
                left_out = here | self._unasked.keys()
                unknown = [url for url in dict.fromkeys(urls) if url not in left_out]
            if len(unknown) > 1 and self._now_s() >= self._not_before_s:
                for at in range(0, len(unknown), _MAX_TOGETHER):
                    self._bring(unknown[at : at + _MAX_TOGETHER])

    def forget(self) -> None:
        """Drop what was brought, so that the next question is asked."""
        with self._lock:
            self._brought.clear()
            self._unasked.clear()

    def send(
        self,
        method: str,
        path: str,
        *,
        params: Mapping[str, ParamValue] | None = None,
        json: JsonObject | None = None,
        headers: Mapping[str, str] | None = None,
    ) -> httpx2.Response:
        """Return the answer to one request, brought already or asked for now."""
        if method != "GET":
            return super().send(method, path, params=params, json=json, headers=headers)
        url = address(path, params)
        with self._lock:
            self._unasked.pop(url, None)
            brought = self._brought.pop(url, None) if self._fresh(url) else None
        if brought is None:
            answer = super().send(method, path, params=params, headers=headers)
            self._note(url, answer)
            return answer
        self._note(url, brought.answer)
        if brought.answer.status_code >= 400:
            raise answer_error(brought.answer)
        tag = brought.answer.headers.get("etag", "")
        if tag and headers and headers.get("If-None-Match") == tag:
            return httpx2.Response(NOT_MODIFIED, request=brought.answer.request)
        return brought.answer

    def _note(self, url: str, answer: httpx2.Response) -> None:
        found = getattr(self._notes, "found", None)
        is_json = answer.headers.get("content-type", "").startswith(_JSON)
        if found is not None and (is_json or answer.status_code == NOT_MODIFIED):
            found.append(url)

    def _fresh(self, url: str) -> bool:
        """Return whether an answer is here; one that nobody asked for is dropped and noted."""
        brought = self._brought.get(url)
        if brought is None:
            return False
        if self._now_s() - brought.at_s < _FRESH_S:
            return True
        del self._brought[url]
        self._unasked[url] = None
        while len(self._unasked) > _MAX_TOGETHER * 10:
            self._unasked.popitem(last=False)
        return False

    def _bring(self, urls: Sequence[str]) -> None:
        asked = [{"get": url, "known": self._known.version(url)} for url in urls]
        try:
            told = super().send("POST", PATH, json={"questions": asked})
            found = list(_answers(told.content, [self.base_url + url for url in urls]))
        except (AnswerError, UnreadableError) as error:
            # One that is older, or has no room for so many: each is asked by itself.
            busy = isinstance(error, AnswerError) and error.status >= 500
            self._not_before_s = self._now_s() + (_FRESH_S if busy else _AGAIN_S)
            return
        with self._lock:
            for url, answer in zip(urls, found, strict=False):
                self._take(url, answer)

    def _take(self, url: str, answer: httpx2.Response) -> None:
        if answer.status_code in _ALONE:
            self._unasked[url] = None
            return
        kept: httpx2.Response | None = answer
        if answer.status_code == NOT_MODIFIED:
            kept = self._known.get(url)
        elif answer.status_code == 200:
            self._known.put(url, answer)
        if kept is not None:
            self._brought[url] = _Brought(answer=kept, at_s=self._now_s())
            self._brought.move_to_end(url)
        while len(self._brought) > _MAX_TOGETHER * 10:
            self._brought.popitem(last=False)


def _answers(content: bytes, urls: Sequence[str]) -> Iterator[httpx2.Response]:
    """Yield the answers of a body of two lines for each: what it is, and what it says.

    Raises:
        UnreadableError: It is not of this shape.
    """
    lines = content.split(b"\n")
    if len(lines) < 2 * len(urls):
        raise UnreadableError(f"{PATH} answered {len(lines)} lines for {len(urls)} questions")
    for at, url in enumerate(urls):
        try:
            told = json.loads(lines[2 * at])
            headers = {"content-type": _JSON, **told.get("headers", {})}
            headers |= {"etag": f'"{told["version"]}"'} if told.get("version") else {}
            status = int(told["status"])
        except (ValueError, TypeError, KeyError, AttributeError) as error:
            raise UnreadableError(f"{PATH} answered a line that is none: {error!r}") from error
        yield httpx2.Response(
            status, content=lines[2 * at + 1], headers=headers, request=httpx2.Request("GET", url)
        )
