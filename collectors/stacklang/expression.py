"""What every expression can do: render itself as a program, and be rewritten.

An expression is an immutable tree. Rendering gives a program that builds the same tree again;
rewriting offers each node to a rule, from the root down, and rebuilds what lies above a change.
"""

from __future__ import annotations

import dataclasses
from collections.abc import Callable, Iterable

from collectors.stacklang.text.lexer import escape
from collectors.stacklang.text.literals import format_double


class Raw(str):
    """Program text that is rendered as it stands, such as ``:sum``."""

    __slots__ = ()


class Expr:
    """A node of an expression tree; subclasses are frozen dataclasses."""

    __slots__ = ("_hash",)
    _hash: int

    def __init_subclass__(cls) -> None:
        # Trees are keys of what is remembered from step to step, and were hashed leaf by leaf each
        # time. With slots a dataclass is made twice: here its hash is there already.
        own = cls.__dict__.get("__hash__")
        if own is not None:
            cls.__hash__ = _once(own)  # type: ignore[method-assign, assignment]

    def parts(self) -> Iterable[object]:
        """Return the items whose renderings, joined by commas, make up this expression."""
        raise NotImplementedError

    def render(self) -> str:
        """Return a program that leaves this expression on the stack."""
        return render_items(self.parts())

    def rewrite(self, rule: Rule) -> Expr:
        """Return this tree with ``rule`` applied.

        Args:
            rule: Gets a node, returns its replacement, or None to look at the node's children.
        """
        replacement = rule(self)
        return self.rebuild(rule) if replacement is None else replacement

    def rebuild(self, rule: Rule) -> Expr:
        """Return this node with ``rule`` applied to its children."""
        changes: dict[str, object] = {}
        for entry in dataclasses.fields(self):  # type: ignore[arg-type] # subclasses are dataclasses
            child = getattr(self, entry.name)
            if entry.init and isinstance(child, Expr):
                new_child = child.rewrite(rule)
                if new_child is not child:
                    changes[entry.name] = new_child
        if not changes:
            return self
        return dataclasses.replace(self, **changes)  # type: ignore[type-var] # as above

    def __deepcopy__(self, memo: dict[int, object]) -> Expr:
        return self  # nothing in a tree ever changes

    def __str__(self) -> str:
        return self.render()


def _once(hash_of: Callable[[Expr], int]) -> Callable[[Expr], int]:
    """Return ``hash_of``, worked out once for each tree: nothing in it ever changes."""

    def remembered(self: Expr) -> int:
        try:
            known: int = self._hash
        except AttributeError:
            known = hash_of(self)
            object.__setattr__(self, "_hash", known)
        return known

    return remembered


Rule = Callable[[Expr], Expr | None]


def render_items(items: Iterable[object]) -> str:
    """Join the renderings of stack items by commas.

    >>> render_items(["a b", ("x", "y"), 2.0, Raw(":eq")])
    'a b,(,x,y,),2.0,:eq'
    """
    return ",".join(render_item(item) for item in items)


def render_item(item: object) -> str:
    """Return the program text that pushes one stack item."""
    if isinstance(item, Raw):
        return str(item)
    if isinstance(item, str):
        return escape(item)
    if isinstance(item, list | tuple):
        return "".join(["(", *(f",{render_item(entry)}" for entry in item), ",)"])
    if isinstance(item, float):
        return format_double(item)
    return str(item)
