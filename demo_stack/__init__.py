"""A miniature global streaming service: the world that a monitoring suite is tried on.

In flows nothing but a seed and a rate. Out flow spans and metrics (OTLP/HTTP), a page to scrape
(Prometheus) and lines over UDP (spectator). It knows no more of whoever watches it than the
addresses of those three protocols, and it imports none of their code.

From the ground up; a room imports only from rooms above it in this list:

* ``world``: the names that everybody knows: regions, services, devices, accounts, titles.
* ``chassis``: what every service stands on: telemetry, calls, injection points, balancing.
* ``stores``, ``eventlog``, ``registry``, ``resilience``, ``mantis``, ``business``: what some of
  them use: caches and replicas, events, discovery, breakers, the live stream, costs.
* ``services``: gateway, auth, catalogue, recommendations, playback, licences, billing, edge and
  encoding; one folder each.
* ``regions``: one region assembled from services, in a process of its own or in memory.
* ``viewers``: the people who press play.
* ``chaos``: what goes wrong, as experiments, and the recorded truth about it.
* ``supervisor``: starts, watches, changes, scales and ends the processes.
* ``in_memory``: the platform in one process, for tests and measuring.

Beside them ``ops`` is the configuration that this platform's team would hand to its monitoring, and
``slack`` a local Slack.
"""
