"""Log records: kept, searched, followed, and told apart by their patterns.

In flows what receivers took (:class:`~collectors.log_batch.LogBatch`); secrets are taken out of it,
it is logged, and stands in blocks of columns with an index of words. Out flow lines that match a
search, counts, patterns with their first sight, and the same from history for what memory let go.
"""
