"""Claude Code as a researcher: the real program in the seat's box, the verbs as its tools."""

from __future__ import annotations

import json

from aar_host.researchers.base import MODEL_PORT, Launch, Station, Wire
from aar_host.researchers.line import need_model
from aar_host.researchers.programs import CLAUDE_CODE

TOOLS = ("Bash", "Read", "Write", "Edit", "Glob", "Grep")
CONFIG = ".agent/claude"
MCP_FILE = ".agent/mcp.json"
MCP = {"mcpServers": {"lab": {"type": "stdio", "command": "lab", "args": ["mcp"]}}}
RETRIES = "3"  # of a failed call; then the session ends, and the host decides what follows
QUIET = {
    "CLAUDE_CODE_DISABLE_NONESSENTIAL_TRAFFIC": "1",
    "DISABLE_TELEMETRY": "1",
    "DISABLE_AUTOUPDATER": "1",
    "DISABLE_ERROR_REPORTING": "1",
    "CLAUDE_CODE_MAX_RETRIES": RETRIES,
    "MCP_CONNECTION_NONBLOCKING": "0",  # or the first request would go without the verbs
    "MCP_CONNECT_TIMEOUT_MS": "120000",  # on a loaded machine the verbs take long to start
    "MCP_TIMEOUT": "120000",
    "MCP_TOOL_TIMEOUT": "600000",
}


class ClaudeCode:
    """See `sessions.Agent`. Its model speaks the Messages protocol."""

    name = "claude-code"

    def launch(self, station: Station, brief: str) -> Launch:
        """One `claude -p` on the brief."""
        model = need_model(station, Wire.MESSAGES, self.name)
        program, mounts = CLAUDE_CODE.mounted()
        command = [
            *(program, "-p", "--output-format", "stream-json", "--verbose", "--model", model),
            *("--mcp-config", f"/workspace/{MCP_FILE}", "--strict-mcp-config"),
            *("--tools", ",".join(TOOLS)),
            *("--allowedTools", ",".join((*TOOLS, "mcp__lab"))),
        ]
        environment = {
            **QUIET,
            "CLAUDE_CONFIG_DIR": f"/workspace/{CONFIG}",
            "ANTHROPIC_BASE_URL": f"http://127.0.0.1:{MODEL_PORT}",
            "ANTHROPIC_API_KEY": "box",  # the forwarder knows the seat by its socket
            "ANTHROPIC_DEFAULT_HAIKU_MODEL": model,
            "ANTHROPIC_DEFAULT_SONNET_MODEL": model,
            "ANTHROPIC_DEFAULT_OPUS_MODEL": model,
        }
        return Launch(command, {MCP_FILE: json.dumps(MCP)}, environment, mounts, stdin=brief)
