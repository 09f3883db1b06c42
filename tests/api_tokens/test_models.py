"""The model of API tokens, and what makes one."""

from __future__ import annotations

from concurrent.futures import ThreadPoolExecutor

import pytest
from django.apps import apps
from django.conf import settings
from django.contrib.auth.models import User
from django.db import connection, connections
from knox.models import get_token_model

from liveai.api_tokens.making import TOKENS_AT_MOST, NotMade, make_token
from liveai.api_tokens.models import ApiToken


def test_it_is_knox_s_model_and_knox_s_own_has_no_table(db: None) -> None:
    assert get_token_model() is ApiToken
    tables = connection.introspection.table_names()
    assert "api_tokens_apitoken" in tables and "knox_authtoken" not in tables


def test_any_user_model_may_have_tokens() -> None:
    field = ApiToken._meta.get_field("user")
    assert field.related_model is apps.get_model(settings.AUTH_USER_MODEL)
    assert field.target_field.primary_key


def test_neither_text_nor_repr_tell_the_hash(ada: User) -> None:
    token, secret = make_token(ada.pk, name="Script", scope="read", days=None)
    for text in (str(token), repr(token)):
        assert token.digest not in text and secret not in text


@pytest.mark.django_db(transaction=True)
def test_of_many_made_at_once_none_is_beyond_the_number(ada: User) -> None:
    for number in range(TOKENS_AT_MOST - 2):
        make_token(ada.pk, name=f"{number}", scope="ask", days=90)

    def make(name: str) -> bool:
        try:
            make_token(ada.pk, name=name, scope="ask", days=90)
        except NotMade:
            return False
        finally:
            connections.close_all()
        return True

    with ThreadPoolExecutor(4) as threads:
        made = list(threads.map(make, "abcd"))
    assert made.count(True) == 2
    assert ApiToken.objects.count() == TOKENS_AT_MOST
