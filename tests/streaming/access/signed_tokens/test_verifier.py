"""Which signed tokens count, and that all others are refused alike. Source: spec.md, "HTTP"."""

from __future__ import annotations

import time
from typing import Any

import pytest
from cryptography.hazmat.primitives.serialization import Encoding, PublicFormat

from streaming.access.signed_tokens.claims import LEEWAY_SECONDS
from streaming.access.signed_tokens.verifier import TOKEN_CHARS, Verifier
from streaming.errors import Refused
from tests.support.key_server import EC_KEY, RSA_KEY, RSA_KEYS, key_set, public
from tests.support.signed_tokens import (
    AUDIENCE,
    ISSUER,
    OTHER_ISSUER,
    OTHER_KEY,
    SETTINGS,
    SHARED_KEY,
    claims,
    raw,
    signed,
    signed_by_other,
)

SHOWN = "https://shown.example"
PEM = RSA_KEY.public_key().public_bytes(Encoding.PEM, PublicFormat.SubjectPublicKeyInfo)


async def fetch(url: str) -> bytes:
    assert url == f"{SHOWN}/keys"
    return key_set(public("one"), public("ec", EC_KEY))


@pytest.fixture
def verifier(settings: Any) -> Verifier:
    """Knows two issuers with shared keys, and one that shows its public keys."""
    for name, value in SETTINGS.items():
        setattr(settings, name, value)
    shown = {"issuer": SHOWN, "audience": AUDIENCE, "jwks_url": f"{SHOWN}/keys"}
    settings.JWT_MORE_ISSUERS = [*SETTINGS["JWT_MORE_ISSUERS"], shown]
    settings.JWT_MAX_LIFETIME_SECONDS = 3600
    return Verifier(now=time.monotonic, fetch=fetch)


def shown(
    key: Any = RSA_KEY, algorithm: str = "RS256", kid: Any = "one", iss: str = SHOWN, **more: Any
) -> str:
    headers = {} if kid is None else {"kid": kid}
    return signed(key=key, algorithm=algorithm, headers=headers, iss=iss, **more)


async def refusal(verifier: Verifier, token: str) -> tuple[str, str]:
    await verifier.prepare(token)
    with pytest.raises(Refused) as refused:
        verifier.verify(token)
    assert refused.value.__context__ is None, "it must carry nothing of the token"
    return refused.value.code, refused.value.message


def hs256_by_the_public_key(key: bytes) -> str:
    """Sign as PyJWT refuses to: with a public key as the shared secret."""
    import base64
    import hashlib
    import hmac
    import json

    header = json.dumps({"alg": "HS256", "kid": "one", "typ": "JWT"}).encode()
    head = raw(header, json.dumps(claims(iss=SHOWN)).encode()).rpartition(".")[0]
    mac = hmac.new(key, head.encode(), hashlib.sha256).digest()
    return f"{head}.{base64.urlsafe_b64encode(mac).decode().rstrip('=')}"


NESTED = b'{"alg":"HS256","a":' + b"[" * 1500 + b"]" * 1500 + b"}"
HEADER = b'{"alg":"HS256","typ":"JWT"}'

BAD = {
    "alg none": lambda: signed(key=None, algorithm="none"),
    "alg none, of shown keys": lambda: shown(key=None, algorithm="none"),
    "no alg": lambda: raw(b"{}", b"{}"),
    "an alg of another type": lambda: raw(b'{"alg":["HS256"]}', b'{"iss":"https://host.example"}'),
    "another shared key": lambda: signed(key=OTHER_KEY),
    "the key of another issuer": lambda: signed(key=OTHER_KEY, iss=ISSUER),
    "another issuer with this key": lambda: signed(iss=OTHER_ISSUER),
    "HS512": lambda: signed(key=SHARED_KEY * 2, algorithm="HS512"),
    "HS256 by the public key": lambda: hs256_by_the_public_key(PEM),
    "RS256 where a key is shared": lambda: shown(iss=ISSUER),
    "another private key": lambda: shown(key=RSA_KEYS["two"]),
    "an unknown kid": lambda: shown(kid="three"),
    "no kid": lambda: shown(kid=None),
    "a kid of the other kind": lambda: shown(kid="ec"),
    "RS512": lambda: shown(algorithm="RS512"),
    "crit": lambda: signed(headers={"crit": ["x"], "x": 1}),
    "expired": lambda: signed(seconds=-LEEWAY_SECONDS - 2),
    "not yet": lambda: signed(nbf=time.time() + LEEWAY_SECONDS + 5),
    "made in the future": lambda: signed(iat=time.time() + LEEWAY_SECONDS + 5),
    "no exp": lambda: signed(exp=None),
    "exp that is no number": lambda: signed(exp="soon"),
    "exp without end": lambda: raw(HEADER, b'{"iss":"https://host.example","exp":1e999}'),
    "too long a life": lambda: signed(seconds=3600 + LEEWAY_SECONDS + 5),
    "the end of a long life": lambda: signed(iat=time.time() - 9_000),
    "another audience": lambda: signed(aud="somebody else"),
    "no audience": lambda: signed(aud=None),
    "no issuer": lambda: signed(iss=None),
    "an unknown issuer": lambda: signed(iss="https://evil.example"),
    "an issuer of another type": lambda: raw(HEADER, b'{"iss":["https://host.example"]}'),
    "no subject": lambda: signed(sub=None),
    "an empty subject": lambda: signed(sub=""),
    "a long subject": lambda: signed("a" * 256),
    "NUL in the subject": lambda: signed("a\0b"),
    "half a pair in the subject": lambda: signed("a\ud800b"),
    "a scope that is unknown": lambda: signed(scope="admin"),
    "several scopes": lambda: signed(scope=["ask"]),
    "a plan of another type": lambda: signed(plan=7),
    "a long plan": lambda: signed(plan="p" * 151),
    "blocks of another type": lambda: signed(blocks="quiz"),
    "a block that is no slug": lambda: signed(blocks=["../quiz"]),
    "too many blocks": lambda: signed(blocks=["b"] * 101),
    "huge": lambda: signed(padding="x" * TOKEN_CHARS),
    "nested header": lambda: raw(NESTED, b"{}"),
    "nested payload": lambda: raw(HEADER, NESTED),
    "no JSON": lambda: raw(b"\xff\xfe", b"\xff"),
    "lists": lambda: raw(b"[]", b"[]"),
    "a changed payload": lambda: ".".join(
        [signed().split(".")[0], signed("eve").split(".")[1], signed().split(".")[2]]
    ),
    "a signature cut off": lambda: signed().rpartition(".")[0] + ".",
    "two parts": lambda: signed().rpartition(".")[0],
    "empty": lambda: "",
}


@pytest.mark.parametrize("name", BAD)
async def test_bad_tokens_are_refused_in_the_same_words(verifier: Verifier, name: str) -> None:
    await verifier.prepare(shown())  # the keys are known
    (keys,) = verifier._key_sets.values()
    if name == "an unknown kid":
        keys._tried_at = None  # as if they had been read long ago
    expected = ("not_authenticated", "The token is not valid.")
    assert await refusal(verifier, BAD[name]()) == expected
    await verifier.aclose()


@pytest.mark.parametrize(
    ("token", "owner"),
    [
        (lambda: signed(), f"jwt:{ISSUER}:ada"),
        (lambda: signed_by_other(), f"jwt:{OTHER_ISSUER}:ada"),
        (lambda: signed(aud=["x", AUDIENCE]), f"jwt:{ISSUER}:ada"),
        (lambda: signed(seconds=-LEEWAY_SECONDS + 10, nbf=time.time() + 20), f"jwt:{ISSUER}:ada"),
        (lambda: signed("ä" * 9), f"jwt:{ISSUER}:{'ä' * 9}"),
        (lambda: shown(), f"jwt:{SHOWN}:ada"),
        (lambda: shown(EC_KEY, "ES256", "ec"), f"jwt:{SHOWN}:ada"),
    ],
)
async def test_good_tokens_stand_for_their_subject(
    verifier: Verifier, token: Any, owner: str
) -> None:
    secret = token()
    await verifier.prepare(secret)
    grant = verifier.verify(secret)
    assert (grant.owner, grant.can_ask, grant.plan, grant.blocks) == (owner, True, None, None)
    await verifier.aclose()


def test_claims_say_what_may_be_done_and_until_when(verifier: Verifier) -> None:
    token = signed(plan="Gold", blocks=["quiz", "tale"], scope="read", exp=int(time.time()) + 100)
    grant = verifier.verify(token)
    assert (grant.can_ask, grant.plan, grant.blocks) == (False, "Gold", {"quiz", "tale"})
    assert grant.may_ask("quiz") and not grant.may_ask("diagram")
    assert 100 < grant.expires_at - time.time() <= 100 + LEEWAY_SECONDS


def test_a_long_name_is_hashed_and_no_two_people_share_one(verifier: Verifier) -> None:
    owners = {
        verifier.verify(token).owner
        for token in (signed("a" * 100), signed("a" * 101), signed_by_other("a" * 100))
    }
    assert len(owners) == 3
    assert all(owner.startswith("jwt-hash:") and len(owner) <= 80 for owner in owners)
