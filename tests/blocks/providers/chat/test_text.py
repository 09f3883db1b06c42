import pytest
from hypothesis import given
from hypothesis import strategies as st

from blocks.providers.chat.text import TextCleaner


@pytest.mark.parametrize(
    ("parts", "expected"),
    [
        (["plain"], "plain"),
        (["a\0b"], "a\ufffdb"),
        (["ü\0"], "ü\ufffd"),
        (["a\ud83d", "\ude00b"], "a😀b"),
        (["a\ud83d", "b"], "a\ufffdb"),
        (["a\ude00"], "a\ufffd"),
        (["b\ud83d"], "b\ufffd"),
        (["\ud83d", "\ud83d", "\ude00"], "\ufffd😀"),
    ],
)
def test_text_is_made_storable_and_cut_pairs_are_joined(parts, expected):
    cleaner = TextCleaner()
    assert "".join(cleaner.clean(part) for part in parts) + cleaner.end() == expected


@given(st.lists(st.text(alphabet=st.characters() | st.sampled_from("\0\ud83d\ude00a"))))
def test_cleaned_text_can_always_be_encoded(parts):
    cleaner = TextCleaner()
    text = "".join(cleaner.clean(part) for part in parts) + cleaner.end()
    assert "\0" not in text
    text.encode()
