"""Restrictions on the weights that a block type may name."""

from __future__ import annotations

import os
from pathlib import Path

import pytest

from blocks import errors
from blocks.providers.config import ProviderConfig
from blocks.providers.local_weights import check_weights, weights_path
from blocks.providers.registry import ProviderPool, model_problem


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A models folder with one model, beside a file outside of it."""
    (tmp_path / "secret.gguf").write_bytes(b"GGUF secret")
    folder = tmp_path / "models"
    (folder / "sub").mkdir(parents=True)
    (folder / "a.gguf").write_bytes(b"GGUF" + bytes(8))
    (folder / "link.gguf").symlink_to(tmp_path / "secret.gguf")
    (folder / "dangling.gguf").symlink_to(tmp_path / "none.gguf")
    (folder / "loop.gguf").symlink_to("loop.gguf")
    (folder / "up").symlink_to(tmp_path)
    return folder


def config(folder: Path, own_model: str = "") -> ProviderConfig:
    return ProviderConfig(models_dir=folder, own_model=own_model)


OUTSIDE = [
    "../secret.gguf",
    "../none.gguf",
    "sub/../../secret.gguf",
    "up/secret.gguf",
    "up/none.gguf",
    "link.gguf",
    "dangling.gguf",
    "loop.gguf",
    "/etc/none.gguf",
    "/proc/self/root/etc/none.gguf",
    "a.gguf\0.gguf",
    "{tmp}/secret.gguf",
    "{tmp}/none.gguf",
    "{tmp}/models-other/a.gguf",
]


@pytest.mark.parametrize("name", OUTSIDE)
def test_what_lies_outside_is_refused_alike_whether_it_exists_or_not(
    folder: Path, name: str
) -> None:
    name = name.replace("{tmp}", str(folder.parent))
    with pytest.raises(errors.ProviderRejected) as caught:
        weights_path(name, config(folder))
    with pytest.raises(errors.ProviderRejected) as other:
        weights_path("../any.gguf", config(folder))
    assert caught.value.detail == other.value.detail
    assert caught.value.message == errors.ProviderRejected().message


def test_a_running_stream_is_refused_it_too(folder: Path) -> None:
    with pytest.raises(errors.ProviderRejected):
        ProviderPool(config(folder)).get(f"local:{folder.parent}/secret.gguf")


@pytest.mark.parametrize("name", ["a.gguf", "./a.gguf", "sub/../a.gguf", "{tmp}/models/a.gguf"])
def test_what_lies_inside_is_found(folder: Path, name: str) -> None:
    name = name.replace("{tmp}", str(folder.parent))
    assert weights_path(name, config(folder)) == folder / "a.gguf"
    assert model_problem(f"local:{name}", config(folder)) == ""


def test_a_folder_that_is_a_link_itself_is_followed(folder: Path, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").symlink_to(folder)
    assert weights_path("a.gguf", config(tmp_path / "elsewhere")) == folder / "a.gguf"


def test_the_root_is_no_folder_of_models() -> None:
    with pytest.raises(errors.ProviderRejected):
        weights_path("etc/any.gguf", config(Path("/")))


def test_the_operators_own_model_may_lie_anywhere(folder: Path) -> None:
    name = f"{folder.parent}/secret.gguf"
    assert weights_path(name, config(folder, own_model=f"local:{name}")) == Path(name)


def test_a_link_that_changes_later_is_refused_at_the_start(folder: Path) -> None:
    provider = ProviderPool(config(folder)).get("local:a.gguf")
    (folder / "a.gguf").unlink()
    (folder / "a.gguf").symlink_to(folder.parent / "secret.gguf")
    with pytest.raises(errors.ProviderRejected):
        provider._find_weights()  # type: ignore[attr-defined]


def test_a_file_that_is_not_gguf_never_reaches_the_native_parser(folder: Path) -> None:
    (folder / "text.gguf").write_text("root:x:0:0")
    (folder / "empty.gguf").touch()
    os.mkfifo(folder / "pipe.gguf")
    for name, word in [
        ("text", "format GGUF"),
        ("empty", "format GGUF"),
        ("pipe", "not there"),
        ("none", "not there"),
        ("sub", "not there"),
    ]:
        with pytest.raises(errors.ProviderUnavailable) as caught:
            check_weights(folder / f"{name}.gguf")
        assert word in caught.value.detail
