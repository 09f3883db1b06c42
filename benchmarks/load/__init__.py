"""What the load benchmarks share: servers to measure, a light client, the arithmetic."""
