"""Where a failure comes from: services on the way down the call graph, ranked by their own share.

Series of requests, times and failures by service flow in, and who calls whom; suspects flow out,
each with the path to it, what speaks for it and what against. Nothing is an answer too.
"""
