"""Users by UUID, and users by a text that fits neither a column of owners nor a group's name."""

from __future__ import annotations

import uuid

from django.contrib.auth.models import AbstractUser
from django.db import models


def new_text() -> str:
    return f"https://id.example/Ада Лавлейс/{uuid.uuid4()}/{'x' * 100}"


class UuidUser(AbstractUser):
    id = models.UUIDField(primary_key=True, default=uuid.uuid4)

    class Meta:
        swappable = "AUTH_USER_MODEL"


class TextUser(AbstractUser):
    id = models.CharField(primary_key=True, max_length=200, default=new_text)

    class Meta:
        swappable = "AUTH_USER_MODEL"
