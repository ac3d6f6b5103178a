"""A first configuration from what a running server has seen of a service.

``seen`` asks the server, ``availability`` and ``latency`` recognise the indicators in its metrics,
``current`` says what they are now, ``documents`` writes the files.
"""
