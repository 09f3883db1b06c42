"""Without a build every page says what to run, and what works without it."""

from __future__ import annotations

import json
import re
from pathlib import Path
from typing import Any

import pytest
from django.contrib.auth.models import User
from django.core.checks import run_checks
from django.test import Client

from blocks.models import BlockType
from frontend.checks import check_build
from tests.frontend.conftest import UseDist


@pytest.fixture
def blocks(unbuilt: Path, db: None) -> None:
    """Create only the blocks `tale` and `riddle`, and no pages."""
    BlockType.objects.all().delete()
    BlockType.objects.create(slug="tale", title="Tale", description="Tells a tale.")
    BlockType.objects.create(slug="riddle", title="Riddle", order=200)


def shown(client: Client, path: str = "/") -> str:
    response = client.get(path)
    assert (response.status_code, response["Content-Type"]) == (200, "text/html; charset=utf-8")
    return response.content.decode()


# --- the page ---------------------------------------------------------------------------------


@pytest.mark.usefixtures("blocks")
@pytest.mark.parametrize("path", ["/", "/blocks/quiz", "/history", "/streams/nothing"])
def test_every_page_says_what_to_run(client: Client, path: str) -> None:
    page = shown(client, path)
    assert "The pages are not built" in page
    assert "<pre>scripts/run</pre>" in page
    assert "npm ci &amp;&amp; npm run build" in page


@pytest.mark.usefixtures("blocks")
def test_it_names_every_block_with_a_line_to_try(client: Client) -> None:
    page = shown(client)
    assert re.findall(r"<code>(.*?)</code>", page) == ["tale", "riddle"]
    assert "Tells a tale." in page
    for slug in ("tale", "riddle"):
        assert f"http://testserver/api/stream/ai-block/{slug}?prompt=" in page


@pytest.mark.usefixtures("blocks")
def test_its_links_lead_somewhere(client: Client) -> None:
    links = set(re.findall(r'href="(/[^"]*)"', shown(client)))
    assert links == {
        "/admin/",
        "/api/docs",
        "/api/schema",
        "/licenses",
        "/static/frontend/mark.svg",
    }
    for link in links:
        assert client.get(link).status_code in (200, 302)


@pytest.mark.usefixtures("blocks")
def test_a_switched_off_block_is_not_on_it(client: Client) -> None:
    BlockType.objects.filter(slug="riddle").update(enabled=False)
    assert "<code>riddle</code>" not in shown(client)
    BlockType.objects.update(enabled=False)
    assert "No block is switched on" in shown(client)


@pytest.mark.usefixtures("blocks")
def test_what_an_operator_writes_is_text_on_it(client: Client) -> None:
    text = "<script>alert(1)</script>"
    BlockType.objects.filter(slug="riddle").update(title=text, description=text)
    page = shown(client)
    assert "<script>" not in page
    assert page.count("&lt;script&gt;") == 2


@pytest.mark.usefixtures("blocks")
def test_looking_at_it_makes_no_session(client: Client) -> None:
    shown(client)
    assert not client.cookies


@pytest.mark.usefixtures("blocks")
def test_it_is_under_the_policy_and_its_only_script_sets_the_theme(client: Client) -> None:
    response = client.get("/")
    policy = response["Content-Security-Policy"].split("; ")
    assert "script-src 'self'" in policy
    assert "frame-ancestors 'none'" in policy
    assert response["X-Frame-Options"] == "DENY"
    scripts = re.findall(rb"<script[^>]*>.*?</script>", response.content, re.DOTALL)
    assert [b"theme.js" in each and b"></script>" in each for each in scripts] == [True]


@pytest.mark.usefixtures("blocks")
def test_it_says_why_the_last_build_failed(client: Client, settings: Any) -> None:
    assert "The last build failed" not in shown(client)
    settings.FRONTEND_FAILURE.write_text("The network seems to be unreachable & gone.\n")
    page = shown(client)
    assert "The last build failed.</b> The network seems to be unreachable &amp; gone.</p>" in page


@pytest.mark.parametrize(
    "manifest", ["", "{", "[]", "{}", json.dumps({"src/other.tsx": {"file": "other.js"}})]
)
def test_a_build_that_is_no_build_is_none(
    client: Client, db: None, use_dist: UseDist, tmp_path: Path, manifest: str
) -> None:
    (tmp_path / "manifest.json").write_text(manifest)
    use_dist(tmp_path)
    assert "The pages are not built" in shown(client)
    assert [found.id for found in check_build(None)] == ["frontend.W001"]


# --- the system check ---------------------------------------------------------------------------


def test_the_check_says_what_to_run(unbuilt: Path) -> None:
    (found,) = check_build(None)
    assert found.id == "frontend.W001"
    assert not found.is_serious()  # a site without its pages still answers every call
    assert found.hint
    assert "scripts/run" in found.hint
    assert "npm run build" in found.hint


def test_the_check_says_why_the_last_build_failed(unbuilt: Path, settings: Any) -> None:
    settings.FRONTEND_FAILURE.write_text("The disk is full.")
    (found,) = check_build(None)
    assert found.msg.endswith("The last build failed: The disk is full.")


def test_the_check_has_nothing_to_say_of_a_build(built: Path) -> None:
    assert check_build(None) == []


def test_a_missing_build_is_said_once(unbuilt: Path) -> None:
    said = [found for found in run_checks() if not found.is_silenced()]
    assert [found.id for found in said] == ["frontend.W001"]


@pytest.mark.usefixtures("blocks")
def test_the_admin_edits_block_types_and_says_what_the_preview_needs(client: Client) -> None:
    client.force_login(User.objects.create_superuser("operator"))
    block = BlockType.objects.get(slug="tale")
    for path in (f"{block.pk}/change/", "add/"):
        page = shown(client, f"/admin/blocks/blocktype/{path}")
        assert "The preview needs the pages, which are not built." in page
        assert "<script" in page
        assert "src/admin" not in page
