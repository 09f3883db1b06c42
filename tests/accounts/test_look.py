"""The accounts' pages look like the others, and run nothing of their own."""

from __future__ import annotations

import re
from pathlib import Path

import pytest
from django.conf import settings
from django.contrib.auth.models import User
from django.test import Client

LOOK = settings.BASE_DIR / "frontend"
OURS = LOOK / "static" / "frontend" / "tokens.css"
TOKENS = LOOK / "src" / "look" / "tokens.css"

OUT = [
    "/account/login/",
    "/account/signup/",
    "/account/password/reset/",
    "/account/password/reset/done/",
    "/account/confirm-email/",
    "/account/confirm-email/unknown/",
    "/account/inactive/",
    "/account/invitation/unknown/",
    "/account/deleted/",
]
IN = [
    "/account/",
    "/account/name/",
    "/account/email/",
    "/account/password/change/",
    "/account/delete/",
    "/account/data/",
    "/account/data/delete/",
    "/account/logout/",
    "/account/reauthenticate/",
]


def tokens_of(path: Path) -> list[dict[str, str]]:
    """Return the custom properties of each block: light, dark by the system, dark by choice."""
    css = path.read_text()
    blocks = re.findall(r"(?:^|\n *):root[^{,]*\{([^}]*)\}", css)
    return [dict(re.findall(r"(--[\w-]+): ([^;]+);", block)) for block in blocks]


def test_the_colours_and_measures_are_those_of_the_pages() -> None:
    ours, theirs = tokens_of(OURS), tokens_of(TOKENS)
    assert len(ours) == 3
    for own, of_the_pages in zip(ours, theirs, strict=False):
        assert own
        assert own == {name: of_the_pages[name] for name in own}


@pytest.mark.parametrize("path", OUT + IN)
def test_each_page_is_one_of_the_site_without_scripts_or_styles_of_its_own(
    client: Client, ada: User, path: str
) -> None:
    if path in IN:
        client.force_login(ada)
    response = client.get(path)
    page = response.content.decode()
    assert response.status_code in (200, 404)
    assert '/static/frontend/accounts.css"' in page
    assert page.index("frontend/tokens.css") < page.index("frontend/accounts.css")
    assert page.index("frontend/accounts.css") < page.index("frontend/account-forms.css")
    assert re.search(r"<title>[^<–]+ – Live AI Blocks</title>", page)
    assert re.findall(r"<script(?![^>]* src=)|<style| style=| on[a-z]+=", page) == []
    assert len(re.findall(r"<h1>", page)) == 1


@pytest.mark.parametrize(
    "path", ["/account/login/", "/account/signup/", "/account/password/reset/"]
)
def test_each_field_has_its_label(client: Client, path: str) -> None:
    page = client.get(path).content.decode()
    fields = set(re.findall(r'<input type="(?:text|email|password)"[^>]* id="(\w+)"', page))
    assert fields
    assert fields == set(re.findall(r'<label for="(\w+)"', page))


def test_without_javascript_the_pages_lead_to_signing_in_only_by_links(client: Client) -> None:
    page = client.get("/account/login/").content.decode()
    assert 'href="/account/password/reset/"' in page
    assert '<form method="post" action="/account/login/">' in page
