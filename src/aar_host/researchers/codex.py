"""Codex as a researcher: the real program in the seat's box, the verbs as its tools."""

from __future__ import annotations

import json

from aar_host.researchers.base import MODEL_PORT, Launch, Station, Wire
from aar_host.researchers.line import need_model
from aar_host.researchers.programs import CODEX

HOME = ".agent/codex"
# The box is the sandbox: Codex's own would need namespaces, which a box does not give.
CONFIG = """
model = {model}
model_provider = "seat"
approval_policy = "never"
sandbox_mode = "danger-full-access"
check_for_update_on_startup = false
web_search = "disabled"
project_doc_max_bytes = 0

[analytics]
enabled = false

[history]
persistence = "none"

[features]
apps = false
goals = false
image_generation = false

[agents]
enabled = false

[model_providers.seat]
name = "seat"
base_url = "http://127.0.0.1:{port}/v1"
wire_api = "responses"
requires_openai_auth = false
request_max_retries = 2
stream_max_retries = 2

[mcp_servers.lab]
command = "lab"
args = ["mcp"]
env_vars = ["AAR_TOKEN", "AAR_SOCKET", "AAR_BOX_ROOT", "PYTHONPATH", "OMP_NUM_THREADS"]
default_tools_approval_mode = "approve"
required = true
startup_timeout_sec = 120
tool_timeout_sec = 600
"""


class Codex:
    """See `sessions.Agent`. Its model speaks the Responses protocol."""

    name = "codex"

    def launch(self, station: Station, brief: str) -> Launch:
        """One `codex exec` on the brief."""
        model = need_model(station, Wire.RESPONSES, self.name)
        program, mounts = CODEX.mounted()
        command = [program, "exec", "--skip-git-repo-check", "--json", "-"]
        config = CONFIG.format(model=json.dumps(model), port=MODEL_PORT)
        environment = {"CODEX_HOME": f"/workspace/{HOME}"}
        files = {f"{HOME}/config.toml": config}
        return Launch(command, files, environment, mounts, stdin=brief)
