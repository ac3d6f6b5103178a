"""How well novelty is found in the Numenta Anomaly Benchmark's labelled series."""
