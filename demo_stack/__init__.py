"""A miniature global streaming service: the world that a monitoring suite is tried on.

In flows nothing but a seed and a rate. Out flow spans and metrics (OTLP/HTTP), a page to scrape
(Prometheus) and lines over UDP (spectator). It knows no more of whoever watches it than the
addresses of those three protocols, and it imports none of their code.

* ``services``: gateway, auth, catalogue, recommendations, playback, edge; one folder each.
* ``platform``: what every service stands on: telemetry, calls, discovery, resilience.
* ``regions``: one region assembled from services, in a process of its own or in memory.
* ``viewers``: the people who press play.
* ``chaos``: what goes wrong, as experiments, and the recorded truth about it.
* ``supervisor``: starts, watches and ends the processes.
* ``ops``: the configuration that this platform's team would hand to its monitoring.
"""
