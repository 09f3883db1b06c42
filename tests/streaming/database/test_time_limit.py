"""Statements that take too long are stopped, and leave the connection unchanged."""

from __future__ import annotations

import pytest
from django.db import OperationalError, connection

from streaming.database.time_limit import statement_limit
from streaming.errors import Refused

ENDLESS = "WITH RECURSIVE n(x) AS (SELECT 1 UNION ALL SELECT x + 1 FROM n) SELECT count(*) FROM n"


def ask(statement: str) -> int:
    with connection.cursor() as cursor:
        cursor.execute(statement)
        (value,) = cursor.fetchone()
        return int(value)


@pytest.mark.django_db(transaction=True)
def test_a_statement_without_an_end_is_stopped_and_the_next_one_is_not() -> None:
    with pytest.raises(Refused) as refused, statement_limit(0.05):
        ask(ENDLESS)
    assert refused.value.code == "over_capacity"
    assert refused.value.retry_after_seconds == 2
    assert ask("SELECT 1") == 1


@pytest.mark.django_db(transaction=True)
def test_what_is_in_time_is_answered() -> None:
    with statement_limit(60):
        assert ask("SELECT 7") == 7


@pytest.mark.django_db(transaction=True)
def test_another_fault_of_the_database_stays_what_it_is() -> None:
    with pytest.raises(OperationalError, match="unreachable"), statement_limit(60):
        raise OperationalError("unreachable")
