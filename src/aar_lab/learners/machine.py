"""How learners use the machine, and with which libraries."""

from __future__ import annotations

import numpy as np
import safetensors
import torch


def use_one_thread() -> None:
    """Compute with one thread: at this size more threads cost more than they gain, and the same
    number of threads is a condition of identical results."""
    torch.set_num_threads(1)


def library_versions() -> list[str]:
    """Versions of what a student's weights depend on beside our own code."""
    return [torch.__version__, np.__version__, safetensors.__version__]
