"""The search box of the list of streams: ids, owners, statuses, codes, and words."""

from __future__ import annotations

from typing import Any, NamedTuple

from django.db.models import Q, QuerySet

from ..access.named import users_named
from ..access.owners import user_owner
from ..database.search import MAX_WORDS_CHARS, search
from ..models import STATUSES, Stream
from .explanations import EXPLANATIONS
from .reads import record_list_once, record_search

HELP = (
    "A complete id or owner, user name or e-mail address; statuses and codes, e.g. error or "
    'provider_timeout; words from the newest streams; or both. "error" in quotes is a word.'
)

FOUND_AT_MOST = 1_000


class Asked(NamedTuple):
    """What a search asks for."""

    named: Q  # its statuses and codes; empty: none
    rest: str  # its other words


class Looker(NamedTuple):
    """Who of the staff searches, to be recorded.

    Args:
        owner: whose list is searched; empty: everybody's.
    """

    user: Any
    owner: str


def read(words: str) -> Asked:
    """Tell the statuses and codes from the other words. Pure.

    Of several statuses, or codes, any will do. A status and a code must both hold.
    """
    statuses, codes, rest = set(), set(), []
    for word in words.split():
        name = word.casefold()
        if name in STATUSES:
            statuses.add(name)
        elif name in EXPLANATIONS:
            codes.add(name)
        else:
            rest.append(word)
    named = Q()
    if statuses:
        named &= Q(status__in=sorted(statuses))
    if codes:
        named &= Q(code__in=sorted(codes))
    return Asked(named, " ".join(rest))


def narrow(rows: QuerySet[Stream], typed: str, looker: Looker) -> QuerySet[Stream]:
    """Return those of the rows that the search box asks for; all if it is empty.

    Words are looked for in what people wrote: a search for them is recorded first, whatever it
    finds.

    Some statuses and codes are everyday words: `how to stop a car` also finds what contains just
    that. Synchronous ORM, with bounded work: see `search`.
    """
    words = typed.strip()[:MAX_WORDS_CHARS]
    quoted = words[1:-1].strip() if len(words) > 1 and words[0] == words[-1] == '"' else ""
    if quoted:
        return rows.filter(_found(looker, quoted, are_words=True))
    if not words:
        return rows
    named, rest = read(words)
    if not named:
        return rows.filter(_found(looker, words))
    if not rest:
        return rows.filter(named)
    return rows.filter(_found(looker, words) | (named & _found(looker, rest, named)))


def _found(looker: Looker, words: str, named: Q | None = None, *, are_words: bool = False) -> Q:
    """Return the row of an id, or those of an owner, else those with the words.

    Args:
        named: narrows the search for words.
        are_words: whether they name no user: names can be everyday words, too.
    """
    if Stream.objects.filter(pk=words).exists():
        return Q(pk=words)
    owners = (
        [words] if are_words else [words, *(user_owner(each.pk) for each in users_named(words))]
    )
    found = [owner for owner in owners if Stream.objects.filter(owner=owner).exists()]
    for owner in found:
        record_list_once(looker.user, owner=owner)
    if found:
        return Q(owner__in=found)
    record_search(looker.user, owner=looker.owner)
    among = Stream.objects.filter(named or Q())
    return Q(pk__in=search(among, words, at_most=FOUND_AT_MOST).ids)
