"""The event log of many processes, in Redis. `log` implements the interface."""
