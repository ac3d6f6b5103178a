"""Tests of rules in the form of ``promtool test rules``: series in, alerts and values compared."""
