"""From a decoded body to series ids: what is admitted, and what is remembered of counters."""
