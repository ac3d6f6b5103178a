"""The war room in a terminal: incidents, objectives, signals, findings, and who is on call.

A :class:`tocsin.top.look.Look` is read through the client; :mod:`tocsin.top.screen` words it in
lines, which one print or a living screen shows. Only :mod:`tocsin.top.app` and
:mod:`tocsin.top.dialogs` know Textual, which is an extra.
"""
