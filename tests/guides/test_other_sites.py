"""The recipes of "Users of another site": what they sign is what this site takes."""

from __future__ import annotations

import json
import re
import subprocess
import sys
import time
from types import ModuleType, SimpleNamespace
from typing import Any

import jwt
import pytest

from streaming.access.signed_tokens.issuers import SHARED_KEY_BYTES, issuers
from streaming.access.signed_tokens.verifier import Verifier
from streaming.checks import check_signed_tokens
from tests.support.documents import DOCS
from tests.support.frontend.node import node_environment
from tests.support.signed_tokens import SHARED_KEY

PAGE = (DOCS / "other-sites.md").read_text("utf-8")
CLAIMS = {"iss": "https://app.example.org", "aud": "liveai", "sub": "7"}
LIFE_SECONDS = 600

# What Express and jsonwebtoken do with the recipe, as far as it needs them.
EXPRESS = """
const requireLogin = 'checks the session'
const app = { get: (path, login, answer) => { app.answer = login === requireLogin && answer } }
const seen = {}
const signer = { sign: (claims, key, options) => JSON.stringify({ claims, key, options }) }
const load = (name) => ({ jsonwebtoken: signer })[name]
new Function('require', 'app', 'requireLogin', CODE)(load, app, requireLogin)
const res = {
  set: (name, value) => { seen[name] = value; return res },
  json: (body) => { seen.body = body },
}
app.answer({ user: { id: 7 } }, res)
console.log(JSON.stringify(seen))
"""


def block(heading: str, language: str) -> str:
    found = re.search(rf"^### {heading}\n.*?^```{language}\n(.*?)^```", PAGE, re.M | re.S)
    assert found is not None
    return found[1]


@pytest.fixture(autouse=True)
def configured(settings: Any) -> None:
    """Configure what the page says."""
    found = re.search(r"^ *```ini\n(.*?)```", PAGE, re.M | re.S)
    assert found is not None
    given = dict(line.strip().split("=", 1) for line in found[1].strip().splitlines())
    assert given.pop("CORS_ALLOWED_ORIGINS") == given["JWT_ISSUER"]
    assert given["JWT_SHARED_KEY"] == ""
    for name, value in {**given, "JWT_SHARED_KEY": SHARED_KEY, "JWT_JWKS_URL": ""}.items():
        setattr(settings, name, value)
    settings.JWT_MORE_ISSUERS = json.loads(re.findall(r"```json\n(.*?)```", PAGE, re.S)[0])
    settings.JWT_MAX_LIFETIME_SECONDS = 3600


def test_its_settings_work_and_its_key_is_long_enough() -> None:
    assert check_signed_tokens(None) == []
    assert len(issuers()) == 2
    code = re.findall(r"```python\n(.*?)```", PAGE, re.S)[0]
    done = subprocess.run(
        [sys.executable, "-"],
        input="\n".join(map(str.strip, code.splitlines())),
        capture_output=True,
        text=True,
        check=True,
    )
    assert len(done.stdout.strip()) >= SHARED_KEY_BYTES


def test_the_token_of_django_is_taken(settings: Any) -> None:
    settings.LIVEAI_SHARED_KEY = SHARED_KEY
    recipe = ModuleType("recipe")
    exec(block("Django", "python"), vars(recipe))
    user = SimpleNamespace(pk=7, is_authenticated=True)
    answer = recipe.live_token(SimpleNamespace(user=user))
    assert answer["Cache-Control"] == "no-store"
    grant = Verifier(now=time.monotonic).verify(json.loads(answer.content)["token"])
    assert grant.owner == "jwt:https://app.example.org:7"


def test_express_signs_the_same_claims() -> None:
    code = f"const CODE = {json.dumps(block('Express', 'js'))}\n{EXPRESS}"
    done = subprocess.run(
        ["node", "-"],
        input=code,
        capture_output=True,
        text=True,
        check=True,
        env=node_environment(LIVEAI_SHARED_KEY=SHARED_KEY),
    )
    seen = json.loads(done.stdout)
    assert seen["Cache-Control"] == "no-store"
    signed = json.loads(seen["body"]["token"])
    options = {"algorithm": "HS256", "expiresIn": LIFE_SECONDS}
    named = dict(zip(("issuer", "audience", "subject"), CLAIMS.values(), strict=True))
    assert signed == {"claims": {}, "key": SHARED_KEY, "options": options | named}
    claims = {**CLAIMS, "exp": int(time.time()) + LIFE_SECONDS}  # what jsonwebtoken makes of them
    Verifier(now=time.monotonic).verify(jwt.encode(claims, signed["key"], algorithm="HS256"))


def test_rails_signs_the_same_claims() -> None:
    """No Ruby here: the claims are compared as they stand there."""
    code = block("Rails", "ruby")
    claims = dict(
        re.findall(r"^ +(\w+): (.+?),?$", code.split("claims = {")[1].split("}")[0], re.M)
    )
    assert claims == {
        "iss": f'"{CLAIMS["iss"]}"',
        "aud": f'"{CLAIMS["aud"]}"',
        "sub": "current_user.id.to_s",
        "iat": "now",
        "exp": f"now + {LIFE_SECONDS}",
    }
    assert 'JWT.encode(claims, ENV.fetch("LIVEAI_SHARED_KEY"), "HS256")' in code
    assert 'response.headers["Cache-Control"] = "no-store"' in code
