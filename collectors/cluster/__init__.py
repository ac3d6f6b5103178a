"""Several processes that are one tocsin: who belongs to it, who keeps what, how they ask."""
