"""Words that must occur in no line of any server: a prompt, an answer, and secrets of every kind.

Each is one distinctive word, so that it stays whole in JSON, in an address, and in a repr.
`Server.end` in `harness.py` looks for those that all servers share, in everything they print.
"""

from __future__ import annotations

PROMPT = "canaryprompt7d41"
ANSWER = "canaryanswer5b90"
FIELD = "canaryfield31c8"
"""A client's own word where a name or a value should stand."""
PASSWORD = "canarypassword2e6f"
WRONG_PASSWORD = "canarywrong84aa"
MODEL_KEY = "sk-canary-0f2e9c71"
SECRET_KEY = "canarysigning9a2d signs what the servers under test sign"

OF_ALL_SERVERS = (PASSWORD, SECRET_KEY, MODEL_KEY)
"""What the environment of every server holds, and what signs its administrator in."""

OF_VISITORS = (PROMPT, ANSWER, FIELD, WRONG_PASSWORD)


def canaries_in(output: str, *others: str) -> list[str]:
    """Return the canaries that an output holds, of all kinds and these."""
    return [word for word in (*OF_ALL_SERVERS, *OF_VISITORS, *others) if word in output]
