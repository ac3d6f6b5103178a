"""The APIs of other tracing backends over our spans, so that their clients read from here."""
