"""The metric core: samples in, aggregated lines out, nothing acknowledged is ever lost.

A batch is validated, its series get ids, the columns are written to the log, and one kernel
normalises them into hot blocks (series × steps). A fetch matches series with the tag index and
one kernel adds the blocks up into group rows. Completed blocks go to the checkpoint, which
shortens the log, and to history, which keeps what leaves the hot window.
"""
