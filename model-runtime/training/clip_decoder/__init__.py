# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Trains, measures, calibrates and exports bundles for Tagstream."""

import os

# ONNX Runtime reads this at import; otherwise it leaves files in the home directory and reports usage to its maker.
os.environ["ORT_DISABLE_TELEMETRY"] = "1"
