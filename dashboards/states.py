"""Empty, stale and failed: what a panel says when it has nothing good to show."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from typing import TypeVar

import streamlit as st

from dashboards import sources
from dashboards.feed import Reading
from dashboards.markdown import plain
from dashboards.zone import clock
from tocsin.client.errors import AnswerError, UnreachableError
from tocsin.client.wording import duration

T = TypeVar("T")


def value_or_notice(reading: Reading[T], what: str, *, key: str) -> T | None:
    """Return the value to draw, after saying honestly what is old or missing.

    Args:
        reading: What the feed gave.
        what: The thing asked for, as a plural or singular noun, such as ``"incidents"``.
        key: Unique on the page; names the retry button.
    """
    if reading.error is None:
        return reading.value
    if reading.value is None:
        failed(reading, what, key=key)
        return None
    stale(reading, what)
    return reading.value


def stale(reading: Reading[T], what: str) -> None:
    """Say that what follows is old, how old, and why."""
    read_ms = reading.read_ms or 0
    age = duration((sources.now_ms() - read_ms) // 1000)
    reason = plain(reading.error.message) if reading.error else ""
    st.warning(
        f"**{what.capitalize()}: data {age} old**, last good answer {clock(read_ms)}. {reason}",
        icon=":material/history:",
    )


def failed(reading: Reading[T], what: str, *, key: str) -> None:
    """Say that there is nothing to show, why, and offer to try again."""
    error = reading.error
    if error is None:
        return
    with st.container(border=True, key=f"failed-{key}"):
        if isinstance(error, UnreachableError):
            st.markdown(f":material/cloud_off: **{what.capitalize()}: tocsin's API is away**")
            hint = "Is `tocsin serve` running? This page tries again by itself."
        elif isinstance(error, AnswerError):
            st.markdown(f":material/error: **{what.capitalize()}: refused ({error.status})**")
            hint = ""
        else:
            st.markdown(f":material/error: **{what.capitalize()}: unreadable answer**")
            hint = "Do the dashboard and the server have the same version?"
        st.caption(f"{plain(error.message)}  \n{hint}")
        st.button(
            "Retry now", key=f"retry-{key}", icon=":material/refresh:", on_click=sources.retry
        )


def empty(text: str, *, icon: str = ":material/inbox:") -> None:
    """Say calmly that there is nothing, and what would bring something."""
    st.caption(f"{icon} {text}")


def notes(told: Sequence[str]) -> None:
    """Say what an answer is not made of."""
    for note in told:
        st.caption(f":material/info: {plain(note)}")


@contextmanager
def loading(height: int = 520) -> Iterator[None]:
    """Show a skeleton of ``height`` pixels while the first answers are awaited."""
    with st.skeleton(height=height):
        yield


@contextmanager
def panel(title: str) -> Iterator[None]:
    """Keep one panel's bad data from taking the page with it."""
    try:
        yield
    except (LookupError, TypeError, ValueError, AttributeError) as error:
        st.error(
            f"**{title}** can't be drawn: {type(error).__name__}: {plain(str(error))}",
            icon=":material/broken_image:",
        )
