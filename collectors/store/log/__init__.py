"""The write-ahead log of the store: records, checkpoints, and what a start makes of them."""
