"""The supervisor's own process and its control server."""
