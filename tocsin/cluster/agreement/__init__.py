"""What nodes agree on in PostgreSQL: who belongs to the cluster, and who holds which lease."""
