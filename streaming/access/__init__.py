"""Visitors: their identity, address and permissions."""
