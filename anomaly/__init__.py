"""What is wrong, since when, where, and why we think so.

Frames and spans come from the collectors; at the end of every step the ``engine`` drives ``rules``
over them: objectives (``slo``: promises and how fast their budgets burn) and detectors
(``detectors``: what is unusual). What they find becomes :class:`anomaly.findings.Finding` objects
that carry their own ``evidence``. Nothing here pages, groups or talks to people: that is the
business of ``runbooks``.
"""
