"""A member of the staff with the form of a block type of the configured model."""

from __future__ import annotations

import json
from collections.abc import Awaitable, Callable
from dataclasses import dataclass
from typing import Any

import pytest
from asgiref.sync import sync_to_async
from django.contrib.auth.models import Permission, User
from django.forms import model_to_dict
from django.test import AsyncClient

from blocks.models import BlockType
from blocks.providers.scripted import ScriptedProvider
from streaming.process import Process
from tests.conftest import Play
from tests.support.streaming.sse_reader import SseReader

PREVIEW = "/admin/blocks/blocktype/preview/"
OWN_MODEL = "scripted:demo"
"""What `AI_MODEL` is in these tests."""


def form_values(**changes: Any) -> dict[str, Any]:
    """Return what the admin's form sends."""
    values = model_to_dict(BlockType(slug="tale", title="Tale")) | {"options_schema": "{}"}
    return {k: v for k, v in (values | changes).items() if v is not None and v is not False}


def events_in(body: bytes) -> list[dict[str, Any]]:
    return [json.loads(message.data) for message in SseReader().feed(body)]


@dataclass
class Editor:
    """What the page of the admin sends."""

    client: AsyncClient
    user: User

    async def ask(self, prompt: str = "Why?", options: str = "{}", **changes: Any) -> Any:
        """Send the form, with some values changed."""
        beside = {"preview-prompt": prompt, "preview-options": options}
        return await self.client.post(PREVIEW, form_values(**changes) | beside)

    async def events(self, prompt: str = "Why?", **changes: Any) -> list[dict[str, Any]]:
        """Send the form, and read all events of the answer."""
        response = await self.ask(prompt, **changes)
        assert response.status_code == 200, response.content
        assert response["Content-Type"].startswith("text/event-stream")
        return events_in(b"".join([part async for part in response.streaming_content]))

    async def problem(self, *args: str, **changes: Any) -> dict[str, Any]:
        """Send the form, which is refused."""
        response = await self.ask(*args, **changes)
        assert response["Content-Type"] == "application/problem+json", response.content
        found: dict[str, Any] = json.loads(response.content)
        assert found["status"] == response.status_code
        return found


@pytest.fixture
def make_editor(process: Process) -> Callable[..., Awaitable[Editor]]:
    """`await make_editor("change_blocktype")`; without permissions, an administrator."""

    async def make(*codenames: str, is_staff: bool = True) -> Editor:
        name = "-".join(["staff", *codenames])
        user = await User.objects.acreate(
            username=name, is_staff=is_staff, is_superuser=not codenames
        )
        found = await sync_to_async(list)(Permission.objects.filter(codename__in=codenames))
        await user.user_permissions.aset(found)
        client = AsyncClient()
        await client.aforce_login(user)
        return Editor(client, user)

    return make


@pytest.fixture
async def editor(make_editor: Callable[..., Awaitable[Editor]]) -> Editor:
    return await make_editor()


@pytest.fixture
def say(play: Play) -> Callable[..., ScriptedProvider]:
    """`say("Hello")` makes the configured model say that."""
    return lambda *steps: play(*steps, model=OWN_MODEL)
