"""What leaves the hot window: every step of every series, and spans, in the ClickHouse dialect.

Completed blocks come in from the store in the background; fetches that reach behind the hot window
come in as SQL. The engine is chDB inside this process, or a ClickHouse server: one address decides.
"""
