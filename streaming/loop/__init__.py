"""Helpers for event loops: owned tasks, bells, rounds."""
