"""What metrics there are: names found, tags counted, a filter or a grouping at a click."""

from __future__ import annotations

import streamlit as st

from dashboards import sources, states
from dashboards.markdown import plain
from dashboards.telemetry.browsing import (
    filtered,
    followed_by,
    grouped_by,
    keys_to_split,
    metric_in,
    start_of,
)
from tocsin.client.metric_shapes import MetricName, MetricTags, TagCount, Word
from tocsin.client.stack_words import equals
from tocsin.client.wording import number

QUERY = "q"
_MAX_WORDS = 24
_WORD = "word"


def draw(expression: str) -> None:
    """Draw the search, the chosen metric's tags, and the words that could follow."""
    _names()
    name = metric_in(expression)
    if name is not None:
        asked = sources.metric_tags(equals("name", name))
        tags = states.value_or_notice(asked, "tags", key="tags")
        if tags is not None:
            _tags(expression, name, tags)
    _completion(expression)


def label(row: MetricName) -> str:
    """Return a metric with its unit and its number of series.

    >>> label({"name": "cpu", "unit": "1", "series": 1200})
    'cpu · 1 · 1,200 series'
    """
    parts = [row["name"], row["unit"], f"{number(row['series'])} series"]
    return " · ".join(part for part in parts if part)


def prefix_and_words(search: str) -> tuple[str, str]:
    """Return what names begin with, and the words that they hold, of what was typed.

    >>> prefix_and_words("http.* duration"), prefix_and_words(" requests total ")
    (('http.', 'duration'), ('', 'requests total'))
    """
    first, _, rest = search.strip().partition(" ")
    return (first[:-1], rest.strip()) if first.endswith("*") else ("", search.strip())


def _names() -> None:
    search = st.text_input(
        "Find a metric",
        key="find",
        bind="query-params",
        placeholder="words in its name, or how it begins: http.*",
        max_chars=200,
    )
    reading = sources.metrics(*prefix_and_words(search or ""))
    found = states.value_or_notice(reading, "metrics", key="metrics")
    if found is None:
        return
    if not found["metrics"]:
        states.empty("No metric has such a name." if search else "No metric has come yet.")
        return
    rows = {row["name"]: row for row in found["metrics"]}
    st.selectbox(
        f"{number(len(rows) + found['left_out'])} metrics",
        list(rows),
        index=None,
        format_func=lambda name: label(rows[name]) if name in rows else name,
        placeholder="choose one to start from",
        key="metric",
        on_change=_begin,
    )
    if found["left_out"]:
        st.caption(f"{found['left_out']} more match; search for more words.")


def _tags(expression: str, name: str, tags: MetricTags) -> None:
    st.markdown(f"**{plain(name)}** · {number(tags['series'])} series")
    if tags["counted"] < tags["series"]:
        st.caption(f"Tags are counted over {number(tags['counted'])} of them.")
    rows = {row["key"]: row for row in keys_to_split(tags)}
    if not rows:
        states.empty("Its series have no tags to choose by.")
        return
    key = st.selectbox(
        "Tag",
        list(rows),
        format_func=lambda one: f"{one} · {rows[one]['values']} values" if one in rows else one,
        key="tag-key",
    )
    if key in rows:
        _values(expression, rows[key])


def _values(expression: str, row: TagCount) -> None:
    key = row["key"]
    with st.container(horizontal=True, gap="small", key="tag-values"):
        st.button(
            f"Group by {plain(key)}",
            key=f"by-{key}",
            icon=":material/call_split:",
            on_click=_set,
            args=(grouped_by(expression, key),),
        )
        for value in row["top"]:
            st.button(
                f"{plain(value['value'])} ({number(value['series'])})",
                key=f"is-{key}-{value['value']}",
                help="Only series with this value",
                on_click=_set,
                args=(filtered(expression, key, value["value"]),),
            )
    hidden = row["values"] - len(row["top"])
    if hidden > 0:
        st.caption(f"{number(hidden)} more values, each of fewer series.")


def _completion(expression: str) -> None:
    words = sources.words_after(expression).value
    if not words:
        return
    with st.popover("Words that can follow", icon=":material/short_text:"):
        chosen = st.selectbox(
            "Word",
            [word["name"] for word in words],
            index=None,
            format_func=lambda name: _described(words, name),
            key=_WORD,
            placeholder="choose a word to add",
            on_change=_follow,
            args=(expression,),
        )
        del chosen
        st.markdown(
            "\n".join(
                f"- `:{word['name']}` {plain(word['description'])}" for word in words[:_MAX_WORDS]
            )
        )


def _described(words: list[Word], name: str) -> str:
    found = next((word for word in words if word["name"] == name), None)
    return f":{name}  ({found['signature']})" if found else name


def _begin() -> None:
    name = st.session_state.get("metric")
    if name:
        tags = sources.metric_tags(equals("name", name)).value
        _set(start_of(name, tags) if tags else f"{equals('name', name)},:sum")


def _follow(expression: str) -> None:
    word = st.session_state.get(_WORD)
    if word:
        _set(followed_by(expression, word))
        st.session_state[_WORD] = None


def _set(expression: str) -> None:
    st.session_state[QUERY] = expression
