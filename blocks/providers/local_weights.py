"""Restricts which files of weights a local model may use.

The operator's AI_MODEL may name any file. A name from the admin panel is confined to AI_MODELS_DIR.
A native parser opens the file, and an error must not reveal which other files exist.
"""

from __future__ import annotations

from pathlib import Path

from blocks.errors import ProviderRejected, ProviderUnavailable
from blocks.providers.config import ProviderConfig

SUFFIX = ".gguf"
_MAGIC = b"GGUF"


def weights_path(name: str, config: ProviderConfig) -> Path:
    """Resolve `local:NAME` to a file; a confined name is resolved through all links.

    Raises:
        ProviderRejected: outside of the folder; the same error whether the file exists or not.
    """
    if config.own_model.partition(":")[2].strip() == name:
        return config.base_dir / Path(name).expanduser()
    try:
        folder = config.models_dir.resolve()
        path = (folder / name).resolve()
    except (OSError, RuntimeError, ValueError):  # a loop of links, a NUL
        path = folder = Path("/")
    if folder == Path("/") or not path.is_relative_to(folder):
        raise ProviderRejected(
            detail=f"Local models are read from the folder AI_MODELS_DIR alone:"
            f" write local:NAME{SUFFIX} for a file that lies there."
        )
    return path


def check_weights(path: Path) -> None:
    """Check a file before a native parser opens it.

    Raises:
        ProviderUnavailable: missing, unreadable, or not in the format.
    """
    try:
        if not path.is_file():  # opening a pipe or a device would block
            raise ProviderUnavailable(
                detail=f"The local model's weights {path.name!r} are not there."
            )
        with path.open("rb") as file:
            magic = file.read(len(_MAGIC))
    except OSError:
        raise ProviderUnavailable(
            detail=f"The local model's weights {path.name!r} can't be read."
        ) from None
    if magic != _MAGIC:
        raise ProviderUnavailable(
            detail=f"The local model's weights {path.name!r} are not in the format GGUF."
        )
