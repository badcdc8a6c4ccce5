# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""``bundle.json``, read without anything slow to import: a folder that is no bundle is named before PyTorch is loaded."""

import json
from pathlib import Path


def read_description(bundle: Path) -> dict:
    """Raises FileNotFoundError where ``bundle`` is not a bundle's directory."""
    file = bundle / "bundle.json"
    if not file.is_file():
        raise FileNotFoundError(f"no bundle in {bundle}: {file} is missing")
    return json.loads(file.read_text(encoding="utf-8"))
