"""What somebody's telemetry is about: services, their instruments, and the charts that follow.

In: answers of the API. Out: services with traffic, errors and duration, and panels that draw them.
Everything here is a function of answers; nothing asks, nothing draws. ``conventions`` is the table
of names that OpenTelemetry and Prometheus give to requests, messages and database operations;
nobody's own metrics stand in it.
"""
