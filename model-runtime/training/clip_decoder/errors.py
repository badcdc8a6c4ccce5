# Copyright 2026 The Tagstream Authors
# SPDX-License-Identifier: Apache-2.0
"""Errors that a command reports in one line. They import nothing: a wrong option is named before PyTorch is loaded."""


class ConfigError(ValueError):
    """A configuration that cannot be used; the message names file, key and what to change."""


class ClipError(ValueError):
    """A checkpoint, head or option that cannot be used; the message says which, why and what to change."""


class DeviceError(RuntimeError):
    """The requested device is unavailable."""


class ExportError(RuntimeError):
    """An exported graph does not compute what the model does; nothing usable was written."""
