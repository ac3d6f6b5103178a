"""Prometheus's rule files: what they say, evaluated as Prometheus does, alerts as findings.

In: groups from ``prometheus-rules/*.yml``, samples of the store, the end of a step. Out: recorded
series, ``ALERTS`` and ``ALERTS_FOR_STATE`` into the store; findings; what ``/api/v1/rules`` tells.
"""
