"""Shared code of the load benchmarks: servers to measure, a lightweight client, the arithmetic."""
