"""Alerting policies tried on what was: events by step in, pages, delays and misses out.

``course`` holds the events, ``policies`` says when each policy fires, ``playing`` finds when it
did, ``episodes`` when it should have, ``scoring`` compares the two.
"""
