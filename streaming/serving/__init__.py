"""What `manage.py serve` asks of a connection before any application code runs.

Small subclasses of uvicorn's protocol classes. Bounds hold under `serve` alone, not under Daphne.
Source: specs/050-live-ai-interaction/decisions/018-bounded-connections.md.
"""
