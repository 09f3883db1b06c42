"""The server that the clients of a test file share."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import openai
import pytest

from tests.support.servers.harness import Database, Server, running
from tests.support.servers.tokens import add_token


class Site:
    """A server, and a token for it."""

    def __init__(self, server: Server, token: str) -> None:
        self.url = server.url
        self.token = token

    @property
    def headers(self) -> dict[str, str]:
        return {"Authorization": f"Bearer {self.token}"}

    def openai(self) -> openai.OpenAI:
        return openai.OpenAI(base_url=f"{self.url}/v1", api_key=self.token, max_retries=0)


@pytest.fixture(scope="module")
def site(template: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[Site]:
    database = Database(template, tmp_path_factory.mktemp("dialects"))
    with running("serve", database) as server:
        yield Site(server, add_token(database))
        server.assert_unharmed()
