"""The status page: what users are told, in their words.

What flows in: ``status.yaml``, how objectives stand, what people publish. What flows out: a static
site with feeds and ``status.json``, and signed calls to those who subscribed. What was not measured
is told as unknown, never as well.
"""
