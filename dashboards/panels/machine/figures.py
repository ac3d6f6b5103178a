"""A row of figures that is two abreast on a phone."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass

import streamlit as st

_WIDTH_PX = 168


@dataclass(frozen=True, slots=True, kw_only=True)
class Figure:
    """One number, worded, and what it means."""

    label: str
    value: str
    meaning: str = ""


def draw(figures: Iterable[Figure]) -> None:
    """Draw figures beside each other, as many as there is room for."""
    with st.container(horizontal=True, gap="small"):
        for one in figures:
            st.metric(one.label, one.value, border=True, help=one.meaning or None, width=_WIDTH_PX)
