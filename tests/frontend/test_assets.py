"""Vite's files as served: under their own names, and cached permanently."""

from __future__ import annotations

from pathlib import Path

import pytest
from django.test import Client

from tests.frontend.conftest import CHUNK, FONT, SCRIPT, STYLE

pytestmark = pytest.mark.usefixtures("built")

FOREVER = "max-age=315360000, public, immutable"


@pytest.mark.parametrize(
    ("name", "content_type"),
    [
        (SCRIPT, "text/javascript"),
        (CHUNK, "text/javascript"),
        (STYLE, "text/css"),
        (FONT, "font/woff2"),
    ],
)
def test_a_file_with_a_hash_in_its_name_is_kept_for_good(
    client: Client, built: Path, name: str, content_type: str
) -> None:
    response = client.get(f"/static/ai/{name}")
    assert response.status_code == 200
    assert response.content == (built / name).read_bytes()
    assert response["Content-Type"].startswith(content_type)
    assert response["Cache-Control"] == FOREVER


@pytest.mark.parametrize(
    "path",
    ["/static/ai/manifest.json", "/static/frontend/mark.svg", "/static/admin/css/base.css"],
)
def test_a_file_without_one_is_asked_for_again(client: Client, path: str) -> None:
    response = client.get(path)
    assert response.status_code == 200
    assert "immutable" not in response["Cache-Control"]


def test_a_packed_twin_is_sent_to_who_can_read_it(client: Client, built: Path) -> None:
    (built / f"{SCRIPT}.gz").write_bytes(b"packed")
    response = client.get(f"/static/ai/{SCRIPT}", headers={"Accept-Encoding": "gzip, br"})
    assert response.content == b"packed"
    assert response["Content-Encoding"] == "gzip"
    assert response["Content-Type"].startswith("text/javascript")
    assert response["Vary"] == "Accept-Encoding"
    assert response["Cache-Control"] == FOREVER
    plain = client.get(f"/static/ai/{SCRIPT}", headers={"Accept-Encoding": "identity"})
    assert plain.content == (built / SCRIPT).read_bytes()


def test_the_mark_is_a_drawing(client: Client) -> None:
    response = client.get("/static/frontend/mark.svg")
    assert response["Content-Type"] == "image/svg+xml"
    assert b"<svg" in response.content


def test_without_a_build_there_are_no_files_and_no_failure(client: Client, unbuilt: Path) -> None:
    assert client.get("/static/frontend/mark.svg").status_code == 200
    assert client.get(f"/static/ai/{SCRIPT}").status_code == 404


def test_a_file_that_a_later_build_has_replaced_is_not_found(client: Client, built: Path) -> None:
    assert client.get(f"/static/ai/{SCRIPT}").status_code == 200
    (built / SCRIPT).unlink()
    response = client.get(f"/static/ai/{SCRIPT}")
    assert response.status_code == 404
    assert "Cache-Control" not in response
