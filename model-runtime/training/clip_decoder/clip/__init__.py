# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Bundles of other people's CLIP and SigLIP checkpoints, with or without a trained ML-Decoder head.

A checkpoint becomes ``Towers`` (``hugging_face.py``, ``open_clip_checkpoint.py``), a head file becomes a ``Head``
(``head.py``), and ``export.py`` turns both into a bundle. Training lives elsewhere.
"""
