"""Benchmarks: each module has a `main(argv)` and says in its first line what it measures.

`scripts/bench` lists them; `scripts/bench NAME` runs one.
"""
