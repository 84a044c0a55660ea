"""Where agents are looked for."""

from __future__ import annotations

import pytest

from aar_host.researchers.programs import CLAUDE_CODE, CODEX
from aar_lab.errors import BadSettings

ELF = b"\x7fELF and more"


@pytest.fixture(autouse=True)
def _nothing_installed(monkeypatch, tmp_path):
    monkeypatch.setenv("PATH", str(tmp_path / "bin"))
    monkeypatch.setenv("AAR_AGENTS_DIR", str(tmp_path / "agents"))
    for name in ("CLAUDE_CODE", "CODEX"):
        monkeypatch.delenv(f"AAR_{name}", raising=False)


def put(path, content=ELF):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.write_bytes(content)
    path.chmod(0o755)
    return path


def link(path, target):
    path.parent.mkdir(parents=True, exist_ok=True)
    path.symlink_to(target)
    return path


def test_nothing_is_there():
    with pytest.raises(BadSettings, match=r"make setup.*AAR_CODEX"):
        CODEX.find()


def test_a_native_program_in_the_folder_of_agents(tmp_path):
    modules = tmp_path / "agents" / "node_modules"
    native = put(modules / "@anthropic-ai" / "claude-code" / "bin" / "claude.exe")
    link(modules / ".bin" / "claude", native)
    assert CLAUDE_CODE.find() == native
    assert CLAUDE_CODE.mounted() == ("/opt/agents/claude", {"/opt/agents/claude": native})


def test_a_wrapper_is_seen_through(tmp_path):
    modules = tmp_path / "agents" / "node_modules"
    script = put(modules / "@openai" / "codex" / "bin" / "codex.js", b"#!/usr/bin/env node")
    link(modules / ".bin" / "codex", script)
    vendor = modules / "@openai" / "codex-linux-x64" / "vendor" / "x86_64"
    native = put(vendor / "bin" / "codex")
    assert CODEX.find() == native
    assert CODEX.mounted() == ("/opt/agents/codex/bin/codex", {"/opt/agents/codex": vendor})


def test_path_comes_before_the_folder_of_agents(tmp_path):
    put(tmp_path / "agents" / "node_modules" / ".bin" / "claude")
    put(tmp_path / "bin" / "claude")
    assert CLAUDE_CODE.find() == tmp_path / "bin" / "claude"


def test_what_is_named_is_not_replaced(tmp_path, monkeypatch):
    put(tmp_path / "bin" / "claude")
    monkeypatch.setenv("AAR_CLAUDE_CODE", str(tmp_path / "absent"))
    with pytest.raises(BadSettings, match="Claude Code"):
        CLAUDE_CODE.find()
    named = put(tmp_path / "mine")
    monkeypatch.setenv("AAR_CLAUDE_CODE", str(named))
    assert CLAUDE_CODE.find() == named


def test_a_script_alone_is_no_native_program(tmp_path):
    put(tmp_path / "bin" / "codex", b"#!/bin/sh\n")
    with pytest.raises(BadSettings):
        CODEX.find()
