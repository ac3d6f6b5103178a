"""Writing deprecated usage in the way that took its place."""

from __future__ import annotations

from collectors.stacklang.expressions.style import StyleExpr
from collectors.stacklang.text.durations import parse_duration, short_text


def without_deprecated(style: StyleExpr, index: int) -> str:
    """Return a program for ``style`` in which every offset is a word of its own.

    The list form of ``:offset`` is a style that makes a copy of the expression for each entry.
    Several copies become a variable that is named after ``index``, the place of the expression.

    >>> from collectors.stacklang.expressions.data import as_sum
    >>> from collectors.stacklang.predicates.predicate import Equal
    >>> expr = as_sum(Equal("name", "sps"))
    >>> without_deprecated(StyleExpr(expr, (("offset", "(,1h,)"),)), 0)
    'name,sps,:eq,:sum,1h,:offset'
    """
    text = style.settings.get("offset")
    plain = style.with_settings({"offset": None}).render()
    if text is None:
        return plain
    entries = [entry for entry in text.split(",") if entry not in ("(", ")", "")]
    offsets = [parse_duration(entry) for entry in entries]
    shifts = [f",{short_text(offset)},:offset" if offset else "" for offset in offsets]
    if not shifts:
        return style.render()
    if len(shifts) == 1:
        return plain + shifts[0]
    name = f"Query{index}"
    copies = ",".join(f"{name},:get{shift}" for shift in shifts)
    return f"{name},{plain},:set,{copies}"
