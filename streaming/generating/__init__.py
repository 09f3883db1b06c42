"""The streams that a process generates: from the lease to the row's end, and recovery."""
