"""What goes wrong on purpose.

Experiments in chaostoolkit's format (``experiments/`` faults, ``operations/`` what must not page,
``scenarios/`` whole outages with their remedies), performed by the supervisor and written with
start and end to a ground-truth file. ``injector`` performs one, ``scheduler`` a seeded day,
``monkey`` kills instances within its guards, and ``desk`` holds all three and the button that halts
them.
"""
