"""Drives all rules over time: once over the past at a start, then step by step.

What flows in are expressions' answers from a database; what flows out are findings, to sinks.
"""
