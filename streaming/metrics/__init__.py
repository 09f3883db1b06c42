"""Figures for Prometheus, counted where things happen. Decision: 042-metrics.md.

Nothing here knows an id, a prompt, an owner or a token: labels are bounded sets of words.
"""
