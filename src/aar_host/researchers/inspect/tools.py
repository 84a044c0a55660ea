"""The agent's tools beside the verbs: bash and python of Inspect, and a small editor."""

from __future__ import annotations

from inspect_ai.tool import Tool, ToolError, bash, python, tool
from inspect_ai.util import sandbox


@tool
def edit() -> Tool:
    """Writes files of the workspace."""

    async def execute(path: str, new: str, old: str = "") -> str:
        """Write a file, or replace one passage of it.

        Args:
            path: Of the file; its folders are made.
            new: The new content of the file, or what stands in place of the old passage.
            old: The passage to replace; it must occur exactly once. Empty: write the whole file.
        """
        try:
            if not old:
                await sandbox().write_file(path, new)
                return f"Wrote {path}."
            text = await sandbox().read_file(path)
            if (count := text.count(old)) != 1:
                raise ToolError(f"The old passage occurs {count} times in {path}.")
            await sandbox().write_file(path, text.replace(old, new))
        except OSError as error:
            raise ToolError(str(error)) from error
        return f"Replaced one passage of {path}."

    return execute


def own_tools(seconds: int) -> list[Tool]:
    """Them; a command of bash or python ends after so many seconds."""
    return [bash(timeout=seconds), python(timeout=seconds), edit()]
