import pytest

from blocks.providers.chat.address import (
    address_problem,
    completions_urls,
    is_azure,
    secrets_in,
)

PATH = "/chat/completions"


@pytest.mark.parametrize(
    ("base_url", "urls"),
    [
        ("http://h:1/v1", (f"http://h:1/v1{PATH}",)),
        ("http://h:1/v1/", (f"http://h:1/v1{PATH}",)),
        (" http://h:1/v1 \n", (f"http://h:1/v1{PATH}",)),
        (f"http://h:1/v1{PATH}", (f"http://h:1/v1{PATH}",)),
        (f"http://h:1/v1{PATH}/", (f"http://h:1/v1{PATH}",)),
        ("http://h:1", (f"http://h:1/v1{PATH}", f"http://h:1{PATH}")),
        ("http://h:1/", (f"http://h:1/v1{PATH}", f"http://h:1{PATH}")),
        (
            "https://h/openai/deployments/d?api-version=1",
            (f"https://h/openai/deployments/d{PATH}?api-version=1",),
        ),
        (f"https://h/d{PATH}?api-version=1#x", (f"https://h/d{PATH}?api-version=1",)),
        ("http://[::1]:11434/v1", (f"http://[::1]:11434/v1{PATH}",)),
        ("HTTPS://H/v1beta/openai/", (f"https://H/v1beta/openai{PATH}",)),
    ],
)
def test_a_base_address_leads_to_the_chat_completions(base_url, urls):
    assert completions_urls(base_url) == urls
    assert address_problem(base_url) == ""


@pytest.mark.parametrize(
    ("base_url", "words"),
    [
        ("127.0.0.1:8291/v1", "does not begin with http"),
        ("localhost:11434/v1", "does not begin with http"),
        ("api.example.org/v1", "does not begin with http"),
        ("ftp://user:hunter2@h/v1", "begins with http"),
        ("", "begins with http"),
        ("http://", "not an address"),
        ("http://[::1", "not an address"),
        ("http://h:x/v1", "not an address"),
        ("http://h o/v1", "not an address"),
    ],
)
def test_what_is_no_address_is_told_in_words_that_do_not_show_it(base_url, words):
    assert words in address_problem(base_url)
    assert "hunter2" not in address_problem(base_url)
    with pytest.raises(ValueError, match="AI_BASE_URL"):
        completions_urls(base_url)


def test_azure_is_known_by_its_host_or_its_version():
    assert is_azure("https://me.openai.azure.com/openai/v1/chat/completions")
    assert is_azure("https://gateway.example.org/d/chat/completions?api-version=2024-10-21")
    assert not is_azure("https://api.openai.com/v1/chat/completions")


def test_the_secrets_of_an_address_are_its_query_its_user_and_its_password():
    assert secrets_in("https://me:hunter2@h/v1?key=abc") == ("?key=abc", "me:hunter2@", "hunter2")
    assert secrets_in("https://token@h/v1") == ("token@",)
    assert secrets_in("https://h/v1") == ()
