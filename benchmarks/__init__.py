"""Benchmarks: one module each, with a `main(argv)`; its docstring's first line is what it measures.

`scripts/bench` lists them, `scripts/bench NAME` runs one.
"""
