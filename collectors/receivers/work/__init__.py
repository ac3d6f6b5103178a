"""What a body may cost: its parts are counted before they are decoded, its work while it is done.

Bytes say little of that: 42 KiB of gzip became 22 million lists, five KiB of JSON took 13 seconds.
A body flows from :mod:`opening` (decompressed and counted) through a lane of :mod:`lanes` to its
receiver, which spends of its :mod:`budget` as it goes.
"""
