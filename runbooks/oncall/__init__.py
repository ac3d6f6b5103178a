"""Who is on call: people, schedules of layers and overrides, shifts, and how fair they are.

In: ``people.yaml`` and ``oncall/*.yaml``. Out: shifts in UTC, the person whom a page mentions,
gaps and loads, iCalendar. All of it is a function of (schedule, time).
"""
