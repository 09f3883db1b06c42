"""API tokens in the admin panel."""

from __future__ import annotations

import pytest
from django.contrib.auth.models import User
from django.test import Client

from liveai.api_tokens.making import make_token
from liveai.api_tokens.models import ApiToken

LIST = "/admin/api_tokens/apitoken/"


@pytest.fixture
def made(ada: User) -> tuple[ApiToken, str]:
    return make_token(ada.pk, name="Script", scope="ask", days=90)


def test_staff_see_whose_tokens_there_are_and_no_secret(
    admin_client: Client, made: tuple[ApiToken, str]
) -> None:
    token, secret = made
    pages = [LIST, f"{LIST}?q=ada", f"{LIST}{token.pk}/change/"]
    for path in pages:
        page = admin_client.get(path).content.decode()
        assert "Script" in page and "ada" in page and token.token_key in page
        assert secret not in page
        assert "Save" not in page
    assert "Script" not in admin_client.get(f"{LIST}?q=eve").content.decode()


def test_staff_revoke_and_make_none(admin_client: Client, made: tuple[ApiToken, str]) -> None:
    assert admin_client.get(f"{LIST}add/").status_code == 403
    page = admin_client.get(LIST).content.decode()
    assert "Revoke the selected tokens" in page and "Delete selected" not in page
    data = {"action": "revoke_selected", "_selected_action": made[0].pk}
    assert "Script" in admin_client.post(LIST, data).content.decode()
    admin_client.post(LIST, {**data, "post": "yes"})
    assert ApiToken.objects.count() == 0


def test_staff_without_the_permission_see_none(client: Client, made: tuple[ApiToken, str]) -> None:
    client.force_login(User.objects.create(username="staff", is_staff=True))
    assert client.get(LIST).status_code == 403
