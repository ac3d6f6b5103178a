"""Which commit broke it, if any: frozen incidents with their commits, messages and metrics."""
