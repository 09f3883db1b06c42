"""An event log in Redis for many processes. `log` implements the interface."""
