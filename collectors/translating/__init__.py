"""Expressions of one query language written in the other, by a table of the common ones.

What flows in: a program of the stack language, or an expression of PromQL. What flows out: the
other, with what is not quite the same, or the reason why there is none.
"""
