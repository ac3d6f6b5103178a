"""Expression trees, one file for each vocabulary: what words leave on the stack.

Expressions are frozen; they render as programs and evaluate to a
:class:`collectors.stacklang.lines.line_set.LineSet` within a
:class:`collectors.stacklang.lines.scope.Scope`.
"""
