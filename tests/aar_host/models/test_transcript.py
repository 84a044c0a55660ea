"""What is kept of conversations: bounded, once, without secrets."""

from __future__ import annotations

import json

import pytest

from aar_host.models.redact import HIDDEN, Redactor
from aar_host.models.transcript import MAX_STRING, Transcript

SECRET = "the-token-of-a-box"


@pytest.fixture
def transcript(tmp_path):
    return Transcript(tmp_path / "transcripts" / "ada.jsonl", Redactor([SECRET]), most=10_000)


def lines(tmp_path):
    text = (tmp_path / "transcripts" / "ada.jsonl").read_text()
    return [json.loads(line) for line in text.splitlines()]


def test_entries_are_appended_without_secrets(transcript, tmp_path):
    for number in range(3):
        transcript.write({"number": number, SECRET: [f"x {SECRET} y", {"z": 1.5}]})
    assert [line["number"] for line in lines(tmp_path)] == [0, 1, 2]
    assert lines(tmp_path)[0][HIDDEN] == [f"x {HIDDEN} y", {"z": 1.5}]


def test_a_long_entry_is_cut_and_still_one_line_of_json(transcript, tmp_path):
    transcript.write({"call": "c1", "request": ["x" * 9000] * 9})
    (line,) = lines(tmp_path)
    assert line["call"] == "c1"
    assert len(json.dumps(line)) < 11_000


def test_a_secret_is_gone_before_anything_is_cut(transcript, tmp_path):
    transcript.write({"text": "x" * (MAX_STRING - 5) + SECRET + "y" * MAX_STRING})
    transcript.write({"a": "\n" * 5000 + SECRET, "b": "x" * 9000})
    text = (tmp_path / "transcripts" / "ada.jsonl").read_text()
    assert SECRET[:8] not in text


def test_a_message_is_new_once_wherever_the_marks_of_a_cache_stand(transcript):
    first = {"role": "user", "content": [{"text": "a", "cache_control": {"type": "ephemeral"}}]}
    same = {"role": "user", "content": [{"text": "a"}]}
    other = {"role": "user", "content": [{"text": "b"}]}
    assert transcript.new([first]) == [first]
    assert transcript.new([same, other]) == [other]
    assert transcript.new([same, other]) == []


def test_a_link_is_not_written_through(tmp_path):
    target = tmp_path / "target"
    folder = tmp_path / "t"
    folder.mkdir()
    (folder / "ada.jsonl").symlink_to(target)
    with pytest.raises(OSError, match="symbolic"):
        Transcript(folder / "ada.jsonl", Redactor()).write({})
    assert not target.exists()


@pytest.mark.parametrize(
    "text",
    [
        "Authorization: Bearer abcdef0123456789",
        "sk-ant-api03-abcdefghijkl",
        "key=sk-proj-ABCDEFGHIJKL_mnop",
        "AKIAABCDEFGHIJKLMNOP",
        "hf_abcdefghijklmnop",
        "ghp_abcdefghijklmnop",
    ],
)
def test_what_looks_like_a_key_is_taken_out(text):
    assert HIDDEN in Redactor().text(text)


def test_ordinary_text_stays_and_short_words_are_no_secrets():
    text = "the bearer of news; sk-learn; task-oriented; hf_model"
    assert Redactor(["the", ""]).text(text) == text
    assert SECRET not in repr(Redactor([SECRET]))
