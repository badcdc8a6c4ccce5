# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""State dicts from files, without running anything that a file may hold."""

from pathlib import Path

import torch
from safetensors.torch import load_file
from torch import Tensor

from clip_decoder.errors import ClipError

NESTED = ("state_dict", "model")
PARALLEL = "module."


def read_state_dict(path: Path) -> dict[str, Tensor]:
    """Tensors by name from a ``.safetensors`` file or one that ``torch.save`` wrote, nested or not. Raises ClipError."""
    if not path.is_file():
        raise ClipError(f"no such checkpoint: {path}")
    try:
        content = load_file(path) if path.suffix == ".safetensors" else torch.load(path, "cpu", weights_only=True)
    except Exception as error:  # a broken file can make the readers raise anything
        raise ClipError(
            f"{path} is not a readable checkpoint of tensors (save model.state_dict() with torch.save): {summary(error)}"
        ) from error
    for key in NESTED:
        if isinstance(content, dict) and isinstance(content.get(key), dict):
            content = content[key]
    if not isinstance(content, dict):
        raise ClipError(f"{path} holds a {type(content).__name__}, not a state dict")
    state = {str(name).removeprefix(PARALLEL): value for name, value in content.items() if isinstance(value, Tensor)}
    if not state:
        raise ClipError(f"{path} holds no tensors")
    return state


def summary(error: Exception) -> str:
    """A library's exception in one line."""
    text = " ".join(str(error).split())
    return f"{type(error).__name__}: {text[:300]}"
