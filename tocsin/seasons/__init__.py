"""Seasons of detectors that name none: looked for beside the rules, and kept over restarts."""
