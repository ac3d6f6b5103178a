"""Sends what people ask in a few threads, and keeps in each session what became of it."""

from __future__ import annotations

from collections.abc import Callable, Collection, Mapping
from concurrent.futures import Future, ThreadPoolExecutor
from dataclasses import dataclass, replace
from threading import BoundedSemaphore
from typing import Any

import streamlit as st
from streamlit.errors import StreamlitAPIException

from dashboards import sources
from dashboards.panels.acting.intents import Intent, State, failed, stands
from tocsin.client.client import ApiClient
from tocsin.client.errors import ClientError
from tocsin.client.shapes import Incident

FRAGMENT = "acting"
"""The part of a page that shows what was asked; it alone is drawn anew after a click."""

_ASKED = "asked"
_ROUND = "asked-round"
_MAX_KEPT = 20
_MAX_SENDING = 4
_MAX_WAITING = 64

Call = Callable[[ApiClient], object]


@dataclass(slots=True)
class Asked:
    """An intent and its request.

    Attributes:
        intent: As it was asked.
        answered: What the request gives.
        shown: Whether the answer has been drawn.
    """

    intent: Intent
    answered: Future[Intent]
    shown: bool = False

    @property
    def now(self) -> Intent:
        """The intent as far as it is known."""
        return self.answered.result() if self.answered.done() else self.intent


class Sender:
    """Sends requests, a few at once; the others wait, and too many are not taken.

    Args:
        at_once: Threads.
        waiting: Requests that may be under way or wait.
    """

    def __init__(self, at_once: int = _MAX_SENDING, waiting: int = _MAX_WAITING) -> None:
        self._pool = ThreadPoolExecutor(at_once, thread_name_prefix="dashboard-acting")
        self._free = BoundedSemaphore(waiting)

    def send(self, intent: Intent, call: Callable[[], object], done: Callable[[], None]) -> Asked:
        """Have ``call`` do what was asked; ``done`` is called once it is known what came of it."""
        if not self._free.acquire(blocking=False):
            full: Future[Intent] = Future()
            reason = "too much is being sent already; try again in a moment"
            full.set_result(replace(intent, state=State.REFUSED, reason=reason))
            return Asked(intent, full)
        answered = self._pool.submit(_settle, intent, call, done)
        answered.add_done_callback(lambda _: self._free.release())
        return Asked(intent, answered)

    def stop(self) -> None:
        """Take nothing any more; what is under way goes on."""
        self._pool.shutdown(wait=False)


def _settle(intent: Intent, call: Callable[[], object], done: Callable[[], None]) -> Intent:
    try:
        answer = call()
    except ClientError as error:
        state, reason = failed(error)
        settled = replace(intent, state=state, reason=reason)
    else:
        settled = replace(intent, state=State.CONFIRMED, answer=_incident(answer))
    done()
    return settled


def _incident(answer: object) -> Mapping[str, Any]:
    is_incident = isinstance(answer, dict) and "timeline" in answer and "id" in answer
    return answer if isinstance(answer, dict) and is_incident else {}


@st.cache_resource(on_release=Sender.stop)
def _sender() -> Sender:
    return Sender()


def begin(intent: Intent, call: Call) -> None:
    """Send what was asked, and draw at once that it was; for callbacks of widgets."""
    count()
    client = sources.acting_api()
    read = [one for one in asked() if not one.shown or one.now.state is State.CONFIRMED]
    kept = [*read, _sender().send(intent, lambda: call(client), sources.forgetting())]
    st.session_state[_ASKED] = kept[-_MAX_KEPT:]
    redraw()


def round_of_session() -> int:
    """Return how often this session has asked for something, or was told why not."""
    return int(st.session_state.get(_ROUND) or 0)


def count() -> None:
    """Count a click that was taken up."""
    st.session_state[_ROUND] = round_of_session() + 1


def redraw() -> None:
    """Draw what was asked and leave the rest of the page as it is, where it has such a part."""
    try:
        st.rerun(FRAGMENT)
    except StreamlitAPIException:
        return  # a page without that part is drawn as after any click


def asked() -> list[Asked]:
    """Return what was asked in this session and whose answer has not been told, oldest first."""
    found: list[Asked] = st.session_state.get(_ASKED) or []
    return found


def intents() -> list[Intent]:
    """Return the same as far as it is known."""
    return [one.now for one in asked()]


def forget(done: Collection[Asked]) -> None:
    """Forget what people have been told of."""
    st.session_state[_ASKED] = [one for one in asked() if one not in done]


def forget_what_stands(incident: Incident) -> None:
    """Forget what was confirmed and stands in the incident that the page has read since."""
    done = [
        one
        for one in asked()
        if one.shown and one.now.state is State.CONFIRMED and stands(one.now, incident)
    ]
    if done:
        forget(done)
