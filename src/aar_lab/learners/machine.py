"""How learners use the machine, and with which libraries."""

from __future__ import annotations

from importlib.metadata import version

import torch

LIBRARIES = ("torch", "numpy", "safetensors", "scipy", "scikit-learn", "cleanlab")


def use_one_thread() -> None:
    """Compute with one thread: at this size more threads cost more than they gain, and the same
    number of threads is a condition of identical results."""
    torch.set_num_threads(1)


def library_versions() -> list[str]:
    """Names and versions of what a student's weights depend on beside our own code."""
    return [f"{name} {version(name)}" for name in LIBRARIES]
