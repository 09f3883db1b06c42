"""Shared fixtures: a database for each run, a running process, blocks of a scripted model."""

from __future__ import annotations

import itertools
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from importlib import import_module
from pathlib import Path
from pkgutil import iter_modules
from types import SimpleNamespace
from typing import Any

import pytest
import pytest_asyncio
from asgiref.sync import sync_to_async
from channels.layers import channel_layers
from django.apps import apps
from django.conf import settings as project_settings
from django.contrib.auth.management import create_permissions
from django.contrib.auth.models import Permission, User
from django.contrib.contenttypes.management import create_contenttypes
from django.contrib.contenttypes.models import ContentType
from django.db import connection, connections
from django.db.models.signals import post_migrate

from blocks import migrations
from blocks.catalog import clear_blocks
from blocks.models import BlockType
from blocks.providers.script import parse_script
from blocks.providers.scripted import ScriptedProvider
from streaming import process as processes
from streaming.admission.subjects import clear_rules
from streaming.process import Process
from streaming.switches import clear_switches
from tests.support.faults.missing import pytest_terminal_summary  # noqa: F401 (a hook of every run)
from tests.support.pools import (  # noqa: F401 (likewise)
    pytest_addoption,
    pytest_collection_modifyitems,
    pytest_ignore_collect,
    pytest_xdist_make_scheduler,
)
from tests.support.servers.harness import NO_LIMITS, make_template
from tests.support.streaming.browser import Browser

MODEL = "scripted:x"

StartProcess = Callable[..., Awaitable[Process]]
MakeBlock = Callable[..., Awaitable[BlockType]]
Play = Callable[..., ScriptedProvider]


def scripted(*steps: Any) -> ScriptedProvider:
    """Create a model that plays these steps (`blocks/providers/script.py`)."""
    return ScriptedProvider(parse_script({"steps": list(steps)}, model="x"))


@pytest.fixture(scope="session")
def django_db_modify_db_settings(
    django_db_modify_db_settings_parallel_suffix: None, tmp_path_factory: pytest.TempPathFactory
) -> None:
    """Use a database file for this run only, so that two runs in one checkout don't conflict."""
    database = project_settings.DATABASES["default"]
    if database["ENGINE"] == "django.db.backends.sqlite3":
        database["TEST"]["NAME"] = tmp_path_factory.mktemp("database") / "test.sqlite3"


@pytest.fixture(scope="session")
def django_db_setup(django_db_setup: None, django_db_blocker: Any) -> Iterator[None]:
    """Restore content types and permissions from copies after each transactional test.

    Django would compute them anew each time, which took a third of such a test.
    """
    post_migrate.disconnect(dispatch_uid=f"{create_permissions.__module__}.create_permissions")
    post_migrate.disconnect(create_contenttypes)
    with django_db_blocker.unblock():
        copies = [list(ContentType.objects.all()), list(Permission.objects.all())]

    def restore(sender: Any, using: str, **_: Any) -> None:
        if sender.label == "contenttypes":  # the signal is sent once for each application
            for rows in copies:
                type(rows[0]).objects.using(using).bulk_create(rows, ignore_conflicts=True)

    post_migrate.connect(restore)
    yield
    post_migrate.disconnect(restore)


@pytest.fixture(scope="session")
def template(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A migrated SQLite file that servers copy."""
    path = tmp_path_factory.mktemp("template") / "db.sqlite3"
    make_template(path)
    return path


@pytest.fixture
def first_blocks(db: None) -> None:
    """The blocks that the migrations bring: a transactional test, which empties all tables at its
    end, may have run before."""
    add_shipped_blocks()


def add_shipped_blocks() -> None:
    """Run the data migrations of blocks, in order."""
    for _, name, _ in sorted(iter_modules(migrations.__path__), key=lambda module: module.name):
        migration = import_module(f"{migrations.__name__}.{name}")
        for name_of_step in ("add_blocks", "change_blocks"):
            if hasattr(migration, name_of_step):
                getattr(migration, name_of_step)(apps, SimpleNamespace(connection=connection))


@pytest.fixture(autouse=True)
def fresh_caches() -> Iterator[None]:
    """The whole process caches switches and block types, so clear them around each test."""
    clear_switches()
    clear_blocks()
    yield
    clear_switches()
    clear_blocks()


@pytest_asyncio.fixture
async def start_process(
    transactional_db: None, settings: Any, tmp_path: Path
) -> AsyncIterator[StartProcess]:
    """Start the process of the test's loop, with streaming and anonymous use on.

    The test may change further settings. The process is stopped at the end.
    """

    async def start(**changes: Any) -> Process:
        values = {
            "VAR_DIR": tmp_path,
            "AI_STREAMING_ENABLED": True,
            "AI_ALLOW_ANONYMOUS": True,
            "STREAMING_BACKEND": "sse",
            "AI_STREAMING_FALLBACK": True,
            "AI_MODEL": "scripted:demo",
            "STREAM_DRAIN_SECONDS": 2.0,
            **dict.fromkeys(NO_LIMITS, 0),
            **changes,
        }
        for name, value in values.items():
            setattr(settings, name, value)
        clear_switches()
        clear_rules()
        return await processes.ensure_started()

    yield start
    await processes.stop()
    channel_layers.backends.clear()
    # Close the connection of asgiref's shared thread; our own threads close theirs.
    await sync_to_async(connections.close_all)()


@pytest_asyncio.fixture
async def process(start_process: StartProcess) -> Process:
    return await start_process()


@pytest.fixture
def play(process: Process) -> Play:
    """`play("Hello", {"hang": True})` makes the model say that, and returns its provider."""

    def put(*steps: Any, model: str = MODEL) -> ScriptedProvider:
        provider = scripted(*steps)
        process.providers.use(model, provider)
        return provider

    return put


@pytest.fixture
def make_block(transactional_db: None) -> MakeBlock:
    """Create block types whose model is `scripted:x`."""
    numbers = itertools.count(1)

    async def make(slug: str = "tale", **fields: Any) -> BlockType:
        values = {"title": f"Block {next(numbers)}", "model": MODEL, **fields}
        return await BlockType.objects.acreate(slug=slug, **values)

    return make


@pytest_asyncio.fixture
async def block(make_block: MakeBlock) -> BlockType:
    """A block of plain text, `tale`."""
    return await make_block()


@pytest_asyncio.fixture
async def browser(process: Process) -> AsyncIterator[Browser]:
    """An anonymous visitor who has opened `/api/config`, with a session and a CSRF cookie."""
    visitor = Browser()
    await visitor.call("GET", "/api/config")
    yield visitor
    await visitor.aclose()


@pytest_asyncio.fixture
async def make_browser(
    start_process: StartProcess,
) -> AsyncIterator[Callable[..., Awaitable[Browser]]]:
    """Create more visitors: `await make_browser("ada")` signs in, no name means anonymous.

    A test without `process` must call `start_process` first.
    """
    made: list[Browser] = []

    async def make(username: str | None = None, **options: Any) -> Browser:
        visitor = Browser(**options)
        made.append(visitor)
        if username is not None:
            user = await User.objects.filter(username=username).afirst()
            if user is None:
                user = await User.objects.acreate(username=username)
            await visitor.sign_in(user)
        await visitor.call("GET", "/api/config")
        return visitor

    yield make
    for visitor in made:
        await visitor.aclose()
