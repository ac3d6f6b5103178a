"""Runs cases that state what Atlas answers, and compares.

Cases come from a file, one JSON object a line; a checker for each kind runs the product and says
what differs. ``scripts/conformance`` is the command.
"""
