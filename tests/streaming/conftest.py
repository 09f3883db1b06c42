"""Clients that are signed in to the admin panel."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client


@pytest.fixture
def operator(client: Client, db: None) -> Client:
    """A client with all permissions."""
    client.force_login(User.objects.create_superuser("operator"))
    return client


@pytest.fixture
def staff(client: Client, db: None) -> Any:
    """`staff("view_stream")`: a client signed in to the admin with only these permissions."""

    def make(*codenames: str) -> Client:
        user = User.objects.create(username="staff", is_staff=True)
        user.user_permissions.set(Permission.objects.filter(codename__in=codenames))
        assert user.user_permissions.count() == len(codenames)
        client.force_login(user)
        return client

    return make
