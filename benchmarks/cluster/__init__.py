"""What a hop costs: the same load on one process, and on two and three that divide the series."""
