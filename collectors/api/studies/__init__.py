"""What many traces have in common: their critical paths, funnels, sessions, the map of before."""
