"""Prometheus remote write without an object per sample.

One kernel walks the protobuf bytes into columns and hashes each series' raw label bytes; another
finds the series ids in a hash table. Only label bytes never seen before are decoded in Python.
"""
