"""Charts of a page narrowed to one value of any tag: a region, an endpoint, an instance."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, replace

import streamlit as st

from dashboards import sources, states
from dashboards.markdown import plain
from dashboards.telemetry.browsing import HIDDEN_KEYS, filtered
from dashboards.telemetry.panel import Panel

TAG, VALUE = "by", "is"
_MAX_VALUES = 500


@dataclass(frozen=True, slots=True, kw_only=True)
class Narrowing:
    """What charts are narrowed to; without a tag they are as they are.

    Attributes:
        tag: A key of series.
        value: What it must be.
    """

    tag: str = ""
    value: str = ""

    def of(self, panels: Iterable[Panel]) -> tuple[Panel, ...]:
        """Return panels over the series alone that have the value.

        >>> panel = Panel(title="", expression="name,a,:eq,:sum", unit="")
        >>> Narrowing(tag="zone", value="b").of([panel])[0].expression
        'name,a,:eq,:sum,zone,b,:eq,:cq'
        """
        if not (self.tag and self.value):
            return tuple(panels)
        return tuple(
            replace(panel, expression=filtered(panel.expression, self.tag, self.value))
            for panel in panels
        )


def choose(query: str = "") -> Narrowing:
    """Draw the choice of a tag and of its value; both stand in the address.

    Args:
        query: Series whose tags and values are offered; empty: all.
    """
    keys = states.value_or_notice(sources.tag_keys(query), "tags", key="narrowing-tags")
    if keys is None:
        return Narrowing()
    tag = st.selectbox(
        "Narrow by",
        [key for key in keys if key not in HIDDEN_KEYS],
        index=None,
        key=TAG,
        bind="query-params",
        placeholder="any tag",
        width=170,
    )
    if not tag:
        return Narrowing()
    reading = sources.tag_values(tag, query)
    values = states.value_or_notice(reading, f"values of {plain(tag)}", key="narrowing-values")
    value = st.selectbox(
        plain(tag),
        (values or [])[:_MAX_VALUES],
        index=None,
        key=VALUE,
        bind="query-params",
        placeholder="choose a value",
        width=190,
        accept_new_options=True,
    )
    return Narrowing(tag=tag, value=str(value or ""))
