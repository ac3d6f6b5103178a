"""Titles into segments: ladders, quality gates, packaging; worked off a queue, beside the platform.

The sources are synthetic: test pictures that ffmpeg draws itself. Everything else is real.
"""
