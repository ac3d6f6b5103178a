"""What people do to an incident, seen at once: asked, being confirmed, confirmed or taken back.

A click becomes an :class:`~dashboards.panels.acting.intents.Intent`; its request is sent in a
thread, and the page shows what was asked before the server has answered.
"""
