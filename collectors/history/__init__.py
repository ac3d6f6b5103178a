"""The engine behind history: ClickHouse's dialect, embedded (chDB) or a server.

What flows in: SQL with its parameters, and columns to insert. What flows out: columns, and the one
schema of metrics and spans that both rooms above keep their tables by.
"""
