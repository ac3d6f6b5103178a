"""How callers survive what they call.

Commands with a circuit breaker as in Hystrix 1.5.18, adaptive concurrency limits as in Netflix's
``concurrency-limits``, retries with a budget, and shedding of load by priority. The decisions are
pure: time comes in as milliseconds, nothing sleeps.
"""
