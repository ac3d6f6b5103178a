"""Presentation: an expression with settings for how its lines are shown."""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field, replace

from collectors.stacklang.expression import Expr, Raw
from collectors.stacklang.expressions.series import SeriesExpr
from collectors.stacklang.text.durations import ZERO, Duration, parse_duration

# These settings hold program text already.
_RENDERED = frozenset({"sed", "offset"})
_LINE_WORDS = frozenset({"line", "area", "stack", "heatmap", "vspan"})


@dataclass(frozen=True, slots=True)
class StyleExpr(Expr):
    """An expression and its settings, such as ``legend``, ``color``, ``axis``."""

    expr: SeriesExpr
    items: tuple[tuple[str, str], ...] = ()
    settings: Mapping[str, str] = field(init=False, repr=False, compare=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "settings", dict(self.items))

    def with_settings(self, changes: Mapping[str, str | None]) -> StyleExpr:
        """Return this expression with settings changed; None removes one."""
        merged: dict[str, str | None] = {**self.settings, **changes}
        items = tuple(sorted((key, value) for key, value in merged.items() if value is not None))
        return replace(self, items=items)

    def with_expr(self, expr: SeriesExpr) -> StyleExpr:
        """Return the same style for another expression."""
        return replace(self, expr=expr)

    def parts(self) -> Iterable[object]:
        """Return the expression, then the settings, last key first.

        The order makes a palette come before an alpha, which it would reset.
        """
        yield self.expr
        for key, value in reversed(self.items):
            if key == "sed":
                yield Raw(value)
            elif key == "ls":
                yield from [Raw(f":{value}")] if value in _LINE_WORDS else [value, Raw(":ls")]
            else:
                yield Raw(value) if key in _RENDERED or value.startswith("(,") else value
                yield Raw(f":{key}")

    @property
    def offset(self) -> Duration:
        """The smallest offset of the data."""
        return min((data.offset for data in self.expr.data_exprs), default=ZERO)

    def per_offset(self) -> list[StyleExpr]:
        """Return a copy for each entry of the deprecated ``offset`` setting, itself for none."""
        text = self.settings.get("offset")
        if text is None:
            return [self]
        offsets = [entry for entry in text.split(",") if entry not in {"(", ")"}]
        if not offsets:
            return [self]
        plain = self.with_settings({"offset": None})
        return [plain.with_expr(self.expr.with_offset(parse_duration(entry))) for entry in offsets]
