"""What operators do to the running platform, and how they announce it."""
