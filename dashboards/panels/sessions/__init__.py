"""Panels about many traces together: sessions, funnels, what traces wait for, what differs."""
