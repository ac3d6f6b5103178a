"""A partitioned event log with consumer groups, and windowed jobs over it.

On a Kafka broker where one is installed, embedded and in memory otherwise: the same shape (topics,
partitions, offsets, groups, lag) behind :class:`demo_stack.eventlog.broker.Broker`.
"""
