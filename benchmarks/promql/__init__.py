"""PromQL beside Prometheus and VictoriaMetrics, on the same remote-write bodies."""
