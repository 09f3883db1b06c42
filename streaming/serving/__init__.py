"""The server behind `manage.py serve`: limits for connections before application code runs.

Small subclasses of uvicorn's protocol classes. The limits hold only under `serve`, not under
Daphne.
Source: specs/050-live-ai-interaction/decisions/018-bounded-connections.md.
"""
