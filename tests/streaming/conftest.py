"""Models, a log that several processes share, and clients of the admin panel."""

from __future__ import annotations

from typing import Any

import pytest
from django.contrib.auth.models import Permission, User
from django.test import Client

from blocks.providers.base import Provider
from streaming.process import Process
from tests.conftest import MODEL
from tests.support.streaming.dictated import DictatedProvider
from tests.support.streaming.leaving import SharedLog, keep_models, share_log


@pytest.fixture
def model(process: Process) -> DictatedProvider:
    """The model of all blocks; it says what the test dictates."""
    made = DictatedProvider()
    process.providers.use(MODEL, made)
    return made


@pytest.fixture
def models(monkeypatch: pytest.MonkeyPatch) -> dict[str, Provider]:
    """The models of every process, from its start."""
    known: dict[str, Provider] = {}
    keep_models(monkeypatch, known)
    return known


@pytest.fixture
async def log(monkeypatch: pytest.MonkeyPatch) -> SharedLog:
    """A log that survives processes; request it before `process`."""
    return share_log(monkeypatch)


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
