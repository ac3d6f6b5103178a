"""The cache close to viewers that segments are fetched from."""
