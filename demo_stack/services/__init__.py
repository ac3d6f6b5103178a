"""The services, one folder each; ``build(context)`` in ``app.py`` returns the ASGI application."""
