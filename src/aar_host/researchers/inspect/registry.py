"""The sandbox "aar" of Inspect AI, found by its entry point: boxes of the seat of a session.

A box sees what the seat's boxes see and lives as long as its command. Files are read and written by
commands too, so they are reached with the rights of the box and no others.
"""

from __future__ import annotations

from typing import Literal, overload

from inspect_ai.util import (
    ExecResult,
    OutputLimitExceededError,
    SandboxEnvironment,
    SandboxEnvironmentConfigType,
    SandboxEnvironmentLimits,
    SandboxUnavailableError,
    SandboxUserUnsupportedError,
    sandboxenv,
)

from aar_host.researchers.inspect.boxes import Boxes, Command, Outcome
from aar_lab.errors import Conflict, LabError
from aar_lab.types import JobStatus

_WRITE = 'mkdir -p -- "$(dirname -- "$1")" && cat > "$1"'
_CHANGE = 'cd -- "$1" && shift && exec "$@"'
_LOGIN = ["bash", "--login"]


class Seats:
    """The boxes that the sandbox hands out: those of the one seat of this process."""

    boxes: Boxes | None = None

    @classmethod
    def take(cls, boxes: Boxes) -> None:
        """Name them, before anything is evaluated."""
        cls.boxes = boxes

    @classmethod
    def taken(cls) -> Boxes:
        """Them; `Conflict` outside of a session."""
        if cls.boxes is None:
            raise Conflict(
                "aar", "there is no seat in this process", "Run a campaign with the driver inspect."
            )
        return cls.boxes


@sandboxenv(name="aar")
class SeatSandbox(SandboxEnvironment):
    """See the module; its methods are those of Inspect's `SandboxEnvironment`."""

    def __init__(self, boxes: Boxes) -> None:
        super().__init__()
        self._boxes = boxes

    @classmethod
    async def sample_init(
        cls,
        task_name: str,
        config: SandboxEnvironmentConfigType | None,
        metadata: dict[str, str],
    ) -> dict[str, SandboxEnvironment]:
        return {"default": SeatSandbox(Seats.taken())}

    @classmethod
    async def sample_cleanup(
        cls,
        task_name: str,
        config: SandboxEnvironmentConfigType | None,
        environments: dict[str, SandboxEnvironment],
        interrupted: bool,
    ) -> None:
        """Nothing is left: each box ends with its command."""

    async def exec(  # noqa: PLR0913
        self,
        cmd: list[str],
        input: str | bytes | None = None,
        cwd: str | None = None,
        env: dict[str, str] | None = None,
        user: str | None = None,
        timeout: int | None = None,
        timeout_retry: bool = True,
        concurrency: bool = True,
    ) -> ExecResult[str]:
        if user is not None:
            raise SandboxUserUnsupportedError("A box has one user.")
        if cmd[:2] == _LOGIN:
            cmd = ["bash", *cmd[2:]]  # without a sandbox, profiles of the host would replace PATH
        words = cmd if cwd is None else ["sh", "-c", _CHANGE, "sh", cwd, *cmd]
        stdin = input.encode("utf-8", "replace") if isinstance(input, str) else input or b""
        most = SandboxEnvironmentLimits.MAX_EXEC_OUTPUT_SIZE
        outcome = await self._run(Command(words, stdin, env or {}, timeout, most))
        text = outcome.stdout.decode("utf-8", "replace")
        if outcome.cut:
            raise OutputLimitExceededError(SandboxEnvironmentLimits.MAX_EXEC_OUTPUT_SIZE_STR, text)
        code = outcome.exit.code
        returned = 1 if code is None else code
        return ExecResult(code == 0, returned, text, _stderr(outcome))

    async def write_file(self, file: str, contents: str | bytes) -> None:
        stdin = contents.encode("utf-8", "replace") if isinstance(contents, str) else contents
        outcome = await self._run(Command(["sh", "-c", _WRITE, "sh", file], stdin))
        _check_file(outcome, file)

    @overload
    async def read_file(self, file: str, text: Literal[True] = True) -> str: ...

    @overload
    async def read_file(self, file: str, text: Literal[False]) -> bytes: ...

    async def read_file(self, file: str, text: bool = True) -> str | bytes:
        most = SandboxEnvironmentLimits.MAX_READ_FILE_SIZE
        outcome = await self._run(Command(["cat", "--", file], most=most))
        if outcome.cut:
            raise OutputLimitExceededError(SandboxEnvironmentLimits.MAX_READ_FILE_SIZE_STR, None)
        _check_file(outcome, file)
        return outcome.stdout.decode("utf-8") if text else outcome.stdout

    async def _run(self, command: Command) -> Outcome:
        try:
            return await self._boxes.run(command)
        except LabError as error:
            raise SandboxUnavailableError(str(error)) from error


def _stderr(outcome: Outcome) -> str:
    """The end of what it wrote there, and why the host ended it if it did."""
    ended = outcome.exit.status not in (JobStatus.DONE, JobStatus.CRASHED)
    reason = f"The box was ended: {outcome.exit.status.value}.\n" if ended else ""
    return f"{outcome.exit.log}{reason}"


def _check_file(outcome: Outcome, file: str) -> None:
    if outcome.exit.code == 0:
        return
    reason = _stderr(outcome)
    for words, kind in (
        ("Is a directory", IsADirectoryError),
        ("Permission denied", PermissionError),
        ("Read-only", PermissionError),
    ):
        if words in reason:
            raise kind(f"{file}: {words}")
    raise FileNotFoundError(f"{file}: {reason.strip()[-300:]}")
