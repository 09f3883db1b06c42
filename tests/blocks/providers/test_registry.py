import asyncio
import subprocess
import sys
import tomllib
from importlib import import_module
from pathlib import Path

import pytest

from blocks.errors import ProviderRejected
from blocks.providers import scripted
from blocks.providers.registry import KINDS, ProviderConfig, ProviderPool, parse_model
from blocks.providers.script import parse_script
from blocks.providers.scripted import ScriptedProvider
from tests.support.documents import SETTINGS_TEXT


@pytest.mark.parametrize(
    ("model", "expected"),
    [
        ("openai:gpt-4o-mini", ("openai", "gpt-4o-mini")),
        ("openai:llama3.2:3b", ("openai", "llama3.2:3b")),
        ("local:/models/a:b.gguf", ("local", "/models/a:b.gguf")),
        (" scripted : demo ", ("scripted", "demo")),
    ],
)
def test_a_model_is_a_kind_and_a_name(model, expected):
    assert parse_model(model) == expected


KINDS_IN_WORDS = ", ".join(f"{kind}:NAME" for kind in KINDS)
ROOT = Path(__file__).parents[3]


@pytest.mark.parametrize("model", ["", "gpt-4o", "openai:", ":x", "azure:x", "OPENAI:x"])
def test_what_is_no_model_is_rejected_with_the_kinds_that_there_are(model):
    with pytest.raises(ProviderRejected, match=KINDS_IN_WORDS):
        parse_model(model)


def test_a_model_has_one_provider():
    pool = ProviderPool(ProviderConfig())
    assert pool.get("openai:a") is pool.get("openai:a")
    assert pool.get("openai:a") is not pool.get("openai:b")


@pytest.mark.parametrize(
    ("model", "name"),
    [("openai:m", "m"), ("local:smollm2-135m", "smollm2-135m"), ("scripted:demo", "demo")],
)
def test_each_kind_makes_a_provider_that_has_its_name(model, name):
    provider = ProviderPool(ProviderConfig()).get(model)
    assert provider.model == name
    assert provider.is_demo is (model == "local:smollm2-135m")


@pytest.mark.parametrize("kind", KINDS)
def test_a_kind_is_told_of_where_people_look_for_it(kind):
    example = (ROOT / ".env.example").read_text("utf-8")
    above = example.partition("\nAI_MODEL=")[0].rpartition("\n\n")[2]
    assert f"#   {kind}:" in above, ".env.example, above AI_MODEL"
    (row,) = [line for line in SETTINGS_TEXT.splitlines() if line.startswith("| `AI_MODEL` |")]
    assert f"`{kind}:" in row, "docs/operate/settings.md, AI_MODEL"


@pytest.mark.parametrize("module", KINDS.values())
def test_a_provider_s_module_has_what_the_registry_calls_and_passes_the_contract(module):
    imported = import_module(module)
    assert callable(imported.build) and callable(imported.problem)
    tests = Path(__file__).with_name(f"test_{module.rpartition('.')[2]}.py")
    assert tests.is_file(), f"{tests.name}: it runs the contract"
    assert "(ProviderContract):" in tests.read_text("utf-8"), tests.name


def test_every_provider_s_module_has_a_kind():
    folder = ROOT / "blocks" / "providers"
    built = {path.stem for path in folder.glob("*.py") if "\ndef build(" in path.read_text("utf-8")}
    assert built == {module.rpartition(".")[2] for module in KINDS.values()}


def test_the_import_rules_name_every_provider():
    rules = tomllib.loads((ROOT / "pyproject.toml").read_text("utf-8"))["tool"]["importlinter"]
    (rule,) = [rule for rule in rules["contracts"] if rule["name"].startswith("Providers know")]
    assert sorted(rule["modules"]) == sorted(KINDS.values())


def test_a_ready_made_provider_takes_the_place_of_a_model():
    pool = ProviderPool(ProviderConfig())
    mine = ScriptedProvider(parse_script({"steps": ["a"]}))
    pool.use("anything", mine)
    assert pool.get("anything") is mine


@pytest.mark.parametrize("model", ["nonsense", "scripted:none", "local:none", "local:none.gguf"])
async def test_warming_what_can_not_be_had_raises_nothing_and_says_so(model, caplog):
    pool = ProviderPool(ProviderConfig())
    await pool.warm(model)
    assert "none" in caplog.text or "nonsense" in caplog.text
    await pool.aclose()


class Closing(ScriptedProvider):
    def __init__(self, error: Exception | None = None) -> None:
        super().__init__(parse_script({"steps": ["a"]}))
        self.error = error
        self.closed = 0

    async def aclose(self) -> None:
        self.closed += 1
        if self.error:
            raise self.error


async def test_closing_closes_every_provider_once_even_if_one_fails(caplog):
    pool = ProviderPool(ProviderConfig())
    providers = [Closing(), Closing(RuntimeError("broken")), Closing()]
    for number, provider in enumerate(providers):
        pool.use(str(number), provider)
    await pool.aclose()
    await pool.aclose()
    assert [provider.closed for provider in providers] == [1, 1, 1]
    assert "broken" in caplog.text


@pytest.fixture
def built(monkeypatch):
    """The providers that the pool makes of scripted models, by name."""
    made = {}

    def build(name, config):
        made[name] = Closing()
        return made[name]

    monkeypatch.setattr(scripted, "build", build)
    return made


async def test_the_providers_of_models_that_are_not_kept_are_closed_and_made_anew(built):
    pool = ProviderPool(ProviderConfig())
    kept, dropped = pool.get("scripted:kept"), pool.get("scripted:dropped")
    await pool.keep({"scripted:kept", "scripted:never-asked-for"})
    assert (kept.closed, dropped.closed) == (0, 1)
    assert pool.models == {"scripted:kept"}
    assert pool.get("scripted:kept") is kept
    assert pool.get("scripted:dropped") is not dropped
    await pool.aclose()
    assert (kept.closed, dropped.closed) == (1, 1)


async def test_a_ready_made_provider_is_kept_until_the_pool_is_closed():
    pool = ProviderPool(ProviderConfig())
    mine = Closing()
    pool.use("anything", mine)
    await pool.keep(())
    assert pool.get("anything") is mine
    await pool.aclose()
    assert mine.closed == 1


async def test_closing_the_pool_waits_for_a_provider_that_is_being_closed(built):
    pool = ProviderPool(ProviderConfig())
    pool.get("scripted:slow")
    may_close, is_closed = asyncio.Event(), False

    async def aclose():
        nonlocal is_closed
        await may_close.wait()
        is_closed = True

    built["slow"].aclose = aclose
    keeping = asyncio.create_task(pool.keep(()))
    await asyncio.sleep(0)
    keeping.cancel()
    closing = asyncio.create_task(pool.aclose())
    await asyncio.wait([keeping, closing], timeout=0.05)
    assert not closing.done()
    may_close.set()
    await closing
    assert is_closed


def test_the_settings_configure_the_providers(settings):
    settings.AI_API_KEY = "sk-canary"
    settings.AI_BASE_URL = "http://127.0.0.1:11434/v1"
    settings.AI_RETRIES = 7
    settings.AI_CAN_CONTINUE = True
    config = ProviderConfig.from_settings()
    assert (config.api_key, config.base_url, config.retries) == (
        "sk-canary",
        "http://127.0.0.1:11434/v1",
        7,
    )
    assert config.can_continue is True
    assert (config.scripts_dir / "demo.json").is_file()
    assert "canary" not in repr(config)


def test_nothing_heavy_is_imported_before_it_is_needed():
    program = (
        "import sys; import blocks.providers.registry;"
        "assert not {'httpx', 'xllamacpp'} & set(sys.modules);"
        "import blocks.providers.local;"
        "assert 'xllamacpp' not in sys.modules"
    )
    subprocess.run([sys.executable, "-c", program], check=True)
