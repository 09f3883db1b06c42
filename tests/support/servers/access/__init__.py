"""Accesses by strangers, and by people whose right has ended, to a server that runs."""
