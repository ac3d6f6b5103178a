"""Why we think so: what is laid beside a finding for whoever reads it at night.

Traces that show it, services that these make suspect, changes that came shortly before it, and how
numbers, times and places read in its sentences.
"""
