"""Game days: faults are played into a platform that a live tocsin watches, and tocsin is scored.

In: the platform's ground truth (only the scorer reads it; tocsin never does) and tocsin's incidents
as its API tells them. Out: a scorecard as JSON and as a page with charts. ``attribution`` and
``scorecard`` are pure; ``play`` drives the platform, ``oncall`` answers the pages.
"""
