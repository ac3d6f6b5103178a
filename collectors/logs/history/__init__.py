"""Log records in the Collector's ``otel_logs`` table: written behind, searched, dropped."""
