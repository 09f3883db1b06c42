import pytest

from blocks.providers.chat.chunk import Chunk, Usage
from blocks.providers.chat.ending import Ending

TEXT = Chunk("a")
STOP = Chunk(finish="stop")
TEXT_STOP = Chunk("a", finish="stop")
USAGE = Chunk(usage=Usage(1, 2), is_usage=True)
THOUGHT_STOP = Chunk(is_reasoning=True, finish="stop")


@pytest.mark.parametrize(
    ("chunks", "word", "is_final", "is_summed_up"),
    [
        ([TEXT], "", False, False),
        ([TEXT, STOP], "stop", True, False),
        ([TEXT, STOP, USAGE], "stop", True, True),
        ([TEXT_STOP], "stop", False, False),
        ([TEXT_STOP, TEXT_STOP], "", False, False),
        ([TEXT_STOP, TEXT_STOP, STOP], "stop", False, False),
        ([TEXT_STOP, TEXT_STOP, USAGE], "stop", False, False),
        ([TEXT, STOP, TEXT], "", False, False),
        ([TEXT, STOP, TEXT, STOP], "stop", False, False),
        ([THOUGHT_STOP, TEXT], "", False, False),
        ([TEXT, Chunk("b", finish="length")], "length", False, False),
        ([TEXT, STOP, Chunk("whole", is_message=True)], "stop", True, False),
        ([USAGE, TEXT], "", False, False),
    ],
)
def test_a_word_ends_an_answer_unless_text_follows(chunks, word, is_final, is_summed_up):
    ending = Ending()
    for chunk in chunks:
        ending.follow(chunk)
    assert (ending.word, ending.is_final, ending.is_summed_up) == (word, is_final, is_summed_up)


@pytest.mark.parametrize(
    ("chunks", "is_end_of_whole_body", "is_end_of_broken_body"),
    [
        ([TEXT], False, False),
        ([TEXT, STOP], True, True),
        ([TEXT_STOP], True, False),
        ([TEXT_STOP, TEXT_STOP, STOP], True, False),
        ([TEXT, STOP, USAGE], True, True),
    ],
)
def test_a_broken_body_ends_an_answer_only_after_a_reason_without_text(
    chunks, is_end_of_whole_body, is_end_of_broken_body
):
    ending = Ending()
    for chunk in chunks:
        ending.follow(chunk)
    assert ending.is_end(is_broken=False) is is_end_of_whole_body
    assert ending.is_end(is_broken=True) is is_end_of_broken_body


def test_a_repeat_is_expected_with_the_first_word_or_after_it():
    ending = Ending()
    assert not ending.is_closing(TEXT)
    assert ending.is_closing(TEXT_STOP)
    ending.follow(STOP)
    assert ending.is_closing(TEXT)
