"""API tokens: rows that hold a hash of a secret, which only its user has seen."""

from __future__ import annotations

from django.db import models
from django.utils import timezone
from knox.models import AbstractAuthToken

from streaming.access.tokens import ASK, READ

NAME_CHARS = 60
SCOPES = [(ASK, "Ask"), (READ, "Read only")]


class ApiToken(AbstractAuthToken):
    """Lets programs act as its user until it expires or is deleted.

    `KNOX_TOKEN_MODEL` names it. knox's fields: `digest` (the hash, and the primary key),
    `token_key` (how the token begins), `user`, `created`, `expiry` (None: never).
    """

    name = models.CharField(max_length=NAME_CHARS)
    scope = models.CharField(max_length=8, choices=SCOPES, default=READ)
    last_used_at = models.DateTimeField("last used", null=True, editable=False)

    class Meta:
        verbose_name = "API token"
        ordering = ["-created"]

    def __str__(self) -> str:
        return str(self.name)

    @property
    def has_expired(self) -> bool:
        return self.expiry is not None and self.expiry <= timezone.now()
