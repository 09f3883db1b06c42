import subprocess
import sys

import pytest

from blocks.errors import ProviderRejected
from blocks.providers.registry import ProviderConfig, ProviderPool, parse_model
from blocks.providers.script import parse_script
from blocks.providers.scripted import ScriptedProvider


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


@pytest.mark.parametrize("model", ["", "gpt-4o", "openai:", ":x", "azure:x", "OPENAI:x"])
def test_what_is_no_model_is_rejected_with_the_kinds_that_there_are(model):
    with pytest.raises(ProviderRejected, match="local:NAME, openai:NAME, scripted:NAME"):
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
