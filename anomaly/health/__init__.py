"""Health of every service, learned without thresholds: green, yellow, red, or grey for not known.

What flows in: requests, failures and durations of services, operations and edges, from spans
(``spans.…``, see :mod:`collectors.traces.span_rates`) and from metrics that follow a convention.
What flows out: a colour for each service with its reasons in sentences, and a finding for one that
is red by itself. Nothing needs to be configured.

``sources`` says what is asked, ``signals`` learns what is usual (by the detectors of
:mod:`anomaly.detectors`), ``verdict`` makes colours of it, ``rule`` is what the engine drives.
"""
