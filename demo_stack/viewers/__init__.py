"""The people who press play: sessions that arrive in a daily rhythm, on devices, in regions."""
