"""What ``tocsin doctor`` finds wrong with a machine or a data directory, and mends."""
