"""`/licenses`: the notices of the build's packages, and of files that Django itself serves."""

from __future__ import annotations

import gzip
import re
from pathlib import Path

import pytest
from django.contrib.staticfiles.finders import get_finders
from django.test import Client

PAGES = "literata 5.3.0 (OFL-1.1)\n\nCopyright 2017 The Literata Project Authors – Ō\n"


@pytest.fixture
def noticed(built: Path) -> Path:
    """A build with notices of its own, and with similarly named files."""
    (built / "licenses.txt").write_text(PAGES, encoding="utf-8")
    (built / "licenses.txt.gz").write_bytes(gzip.compress(PAGES.encode()))
    (built / "assets" / "license-B1-x2y3z.js").write_text("code();")
    (built / "assets" / "LICENSE").write_bytes("Résumé".encode("latin-1"))
    return built


def licences(client: Client) -> str:
    response = client.get("/licenses")
    assert (response.status_code, response["Content-Type"]) == (200, "text/plain; charset=utf-8")
    return response.content.decode()


def test_it_holds_what_the_build_carries(client: Client, noticed: Path) -> None:
    text = licences(client)
    assert text.count(PAGES) == 1
    assert "code();" not in text
    assert "/static/ai/assets/LICENSE\n\nR" in text


def test_the_notices_of_the_build_are_a_static_file_too(client: Client, noticed: Path) -> None:
    plain = {"Accept-Encoding": "identity"}
    response = client.get("/static/ai/licenses.txt", headers=plain)
    assert response.content.decode() == PAGES
    assert response["Content-Type"].lower() == 'text/plain; charset="utf-8"'
    assert "immutable" not in response["Cache-Control"]


@pytest.mark.parametrize("words", ["MIT License", "Apache License", "Django Software Foundation"])
def test_without_a_build_it_holds_the_rest(client: Client, unbuilt: Path, words: str) -> None:
    assert words in licences(client)


@pytest.mark.usefixtures("noticed")
@pytest.mark.parametrize(
    ("title", "words"),
    [
        ("Live AI Blocks", "MIT License"),
        ("Django: LICENSE", "Copyright (c) Django Software Foundation"),
        ("djangorestframework: LICENSE.md", "Encode OSS"),
        ("drf-spectacular-sidecar: LICENSE", "T. Franzel"),
        ("/static/drf_spectacular_sidecar/swagger-ui-dist/LICENSE", "Apache License"),
        ("/static/admin/js/vendor/jquery/LICENSE.txt", "OpenJS Foundation"),
        ("/static/admin/js/vendor/select2/LICENSE.md", "Kevin Brown"),
    ],
)
def test_it_holds_what_django_serves_of_its_own(client: Client, title: str, words: str) -> None:
    sections = dict(part.strip().split("\n\n", 1) for part in licences(client).split("=" * 80))
    assert words in sections[title]


@pytest.mark.usefixtures("noticed")
def test_no_licence_among_the_static_files_is_left_out(client: Client) -> None:
    found = [
        (path, storage)
        for finder in get_finders()
        for path, storage in finder.list([])
        if re.search("licen[cs]e", path, re.IGNORECASE) and getattr(storage, "prefix", "") != "ai"
    ]
    assert len(found) >= 7
    text = licences(client)
    for path, storage in found:
        assert Path(storage.path(path)).read_text().strip() in text, path


@pytest.mark.usefixtures("noticed")
def test_it_can_be_read_alone_and_names_no_visitor(client: Client) -> None:
    assert client.post("/licenses").status_code == 405
    response = client.get("/licenses")
    assert not response.cookies
    assert "max-age" in response["Cache-Control"]
    assert "Cookie" not in response.get("Vary", "")


@pytest.mark.usefixtures("noticed", "db")
def test_pages_and_docs_lead_to_it(client: Client) -> None:
    assert '<link rel="license" href="/licenses">' in client.get("/").content.decode()
    assert "url: /licenses" in client.get("/api/schema").content.decode()
