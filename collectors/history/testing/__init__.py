"""A ClickHouse server to try things with, of what the embedded engine and this process have."""
