"""The HTTP side of collectors: Atlas's graph, tags and expression endpoints, and trace search.

A query string comes in, is turned into a bounded request object, evaluated in a worker thread and
rendered by one writer a format. Nothing here keeps state; errors leave in Atlas's form.
"""
