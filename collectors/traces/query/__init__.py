"""What a TraceQL query selects, over spans in columns."""
