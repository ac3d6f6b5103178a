"""Spans kept, searched and explained.

What flows in: spans from the receivers. What flows out: traces by id and by search, the services
and the edges between them, the critical path of a trace, and what sets bad spans apart from good.
"""
