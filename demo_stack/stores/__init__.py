"""Where data live: replicas with consistency levels, a two-level cache, versioned objects."""
