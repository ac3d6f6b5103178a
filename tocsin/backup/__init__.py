"""Backups: all that must survive in one file, made while the server goes on, and put back."""
