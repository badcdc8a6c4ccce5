# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""The names of BUNDLE.md's resize rules, apart from OpenCV: options are checked before anything slow is imported."""

RESIZE_RULES = ("SQUASH", "SHORTEST_SIDE_CENTER_CROP", "LETTERBOX")
