"""Who is on call: now and next, over the coming weeks, instead of whom, and for how long."""
