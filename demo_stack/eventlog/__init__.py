"""An embedded partitioned event log with consumer groups, and windowed jobs over it.

The shape is Kafka's (topics, partitions, offsets, groups, lag); everything is in memory.
"""
