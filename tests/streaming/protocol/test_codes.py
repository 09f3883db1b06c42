"""The table of codes is consistent with the errors that blocks raise."""

from __future__ import annotations

from typing import get_args

import pytest

from blocks import errors
from streaming.protocol.codes import REFUSALS, STREAM_ERRORS, RefusalCode


def _classes(root: type[errors.BlockError]) -> list[type[errors.BlockError]]:
    found = [root]
    for child in root.__subclasses__():
        found += _classes(child)
    return found


GENERATION = _classes(errors.GenerationError)
INPUT = [cls for cls in _classes(errors.InputError) if cls is not errors.InputError]


@pytest.mark.parametrize("cls", GENERATION, ids=lambda cls: cls.__name__)
def test_a_failure_of_a_generation_is_an_error_event_of_the_same_retryability(
    cls: type[errors.BlockError],
) -> None:
    assert STREAM_ERRORS[cls.code] == cls.retryable


@pytest.mark.parametrize("cls", INPUT, ids=lambda cls: cls.__name__)
def test_a_wrong_input_is_a_refusal_that_trying_again_does_not_help(
    cls: type[errors.BlockError],
) -> None:
    assert 400 <= REFUSALS[cls.code].status < 500
    assert not REFUSALS[cls.code].retryable
    assert not cls.retryable


def test_the_type_checker_knows_the_codes_of_the_table() -> None:
    assert get_args(RefusalCode) == tuple(REFUSALS)


def test_what_may_be_tried_again_is_429_or_a_fault_of_the_server() -> None:
    for name, code in REFUSALS.items():
        assert code.retryable == (code.status == 429 or code.status >= 500), name


def test_every_refusal_has_a_title_for_a_person() -> None:
    for code in REFUSALS.values():
        assert code.title[0].isupper() and not code.title.endswith(".")
