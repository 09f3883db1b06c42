"""The block types in the admin panel."""

from .block_type import BlockTypeAdmin

__all__ = ["BlockTypeAdmin"]
