"""The trained tiny problem as a file that `aar run --problem` takes; its weights are cached."""

from __future__ import annotations

from tests.aar_host.jobs.trained_tiny import TrainedTiny

from aar_host.settings import cache_dir


class PROBLEM(TrainedTiny):
    """Made without arguments, as from the command line."""

    def __init__(self, seed: int = 0, strong: str = "S") -> None:
        folder = cache_dir() / "tiny-base"
        folder.mkdir(parents=True, exist_ok=True)
        super().__init__(folder)
