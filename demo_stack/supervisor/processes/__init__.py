"""The processes: started, watched, started again when they die, and ended."""
