"""Splitting public from private, on the tiny problem."""

from __future__ import annotations

import json
import os
import stat
from collections.abc import Iterator
from pathlib import Path

import pytest
from tests.tiny_source import TinySource

from aar_host.problems.chat_mini import ChatMini
from aar_host.problems.chat_world import SHIFTED_SOURCES
from aar_host.problems.prepare import draw_reference, draw_test, prepare
from aar_host.problems.prepare import test_inputs as shown_inputs
from aar_host.vault import Part, Prepared
from aar_lab.digest import digest_bytes
from aar_lab.types import Inputs


@pytest.fixture
def source(tmp_path: Path) -> TinySource:
    (tmp_path / "weights").mkdir()
    return TinySource(tmp_path / "weights")


@pytest.fixture(autouse=True)
def careful_umask() -> Iterator[None]:
    """Modes must not depend on the umask; this one hides everything from others."""
    before = os.umask(0o077)
    yield
    os.umask(before)


def mode(path: Path) -> int:
    return stat.S_IMODE(path.stat().st_mode)


def contents(directory: Path) -> dict[str, str]:
    return {
        str(path.relative_to(directory)): digest_bytes(path.read_bytes())
        for path in sorted(directory.rglob("*"))
        if path.is_file()
    }


# --- training data ----------------------------------------------------------------------------


def test_public_inputs_and_vault_belong_together(source: TinySource, tmp_path: Path) -> None:
    prepared = prepare(source, tmp_path / "cache", seed=0)
    sizes = source.sizes
    for part, problems in (
        (Part.TRAIN_UNLABELED, sizes.train_unlabeled),
        (Part.TRAIN_LABELED, sizes.train_labeled),
    ):
        labels = prepared.vault.read(part)
        assert prepared.inputs(part).ids == labels.ids
        assert len(set(labels.problems)) == problems
        assert not labels.shifted.any()
    assert prepared.bundle.problem == source.public()


def test_the_public_part_holds_inputs_and_the_strong_student_alone(
    source: TinySource, tmp_path: Path
) -> None:
    public = prepare(source, tmp_path / "cache", seed=0).directory / "public"
    names = {"problem.json", "train_unlabeled.jsonl", "students/S.safetensors"}
    assert set(contents(public)) == names
    for line in (public / "train_unlabeled.jsonl").read_text().splitlines():
        assert set(json.loads(line)) == {"id", "prompt", "a", "b"}


def test_the_public_part_is_readable_by_all_and_the_rest_by_the_host_alone(
    source: TinySource, tmp_path: Path
) -> None:
    directory = prepare(source, tmp_path / "cache").directory
    assert mode(directory.parent) == 0o700
    assert mode(directory / "host") == mode(directory / "vault") == 0o700
    assert {mode(path) for path in (directory / "vault").iterdir()} == {0o600}
    assert mode(directory.parent / "seed.json") == 0o600
    public = directory / "public"
    assert mode(public) == 0o755
    assert {mode(path) for path in public.rglob("*") if path.is_dir()} == {0o755}
    assert {mode(path) for path in public.rglob("*") if path.is_file()} == {0o644}


def test_preparing_twice_writes_once(source: TinySource, tmp_path: Path) -> None:
    first = prepare(source, tmp_path / "cache")
    marker = first.directory / "public" / "problem.json"
    before = marker.stat().st_mtime_ns
    assert prepare(source, tmp_path / "cache") == first
    assert marker.stat().st_mtime_ns == before


def test_what_was_interrupted_is_prepared_again(source: TinySource, tmp_path: Path) -> None:
    prepared = prepare(source, tmp_path / "cache", seed=0)
    before = contents(prepared.directory)
    draft = prepared.directory.with_name(f".{prepared.directory.name}-0123abcd")
    prepared.directory.rename(draft)
    (draft / "vault" / "train_labeled.jsonl").write_text("half a li")
    assert prepare(source, tmp_path / "cache", seed=0) == prepared
    assert contents(prepared.directory) == before


def test_the_reference_draw_is_made_once_and_is_no_campaigns(
    source: TinySource, tmp_path: Path
) -> None:
    prepared = prepare(source, tmp_path / "cache", seed=0)
    first = draw_reference(source, prepared)
    before = (first.host / "sealed.jsonl").stat().st_mtime_ns
    again = draw_reference(source, prepared)
    assert again == first
    assert (again.host / "sealed.jsonl").stat().st_mtime_ns == before
    campaign = draw_test(source, tmp_path / "tests", seed=0)
    assert campaign.digest != first.digest


def test_data_are_a_function_of_the_seed(source: TinySource, tmp_path: Path) -> None:
    one, two = (prepare(source, tmp_path / name, seed=5) for name in ("a", "b"))
    assert one.digest == two.digest
    assert contents(one.directory) == contents(two.directory)
    other = prepare(source, tmp_path / "a", seed=6)
    assert other.digest != one.digest
    assert other.directory != one.directory


def test_installations_draw_secret_seeds_of_their_own(source: TinySource, tmp_path: Path) -> None:
    one, two = (prepare(source, tmp_path / name) for name in ("a", "b"))
    assert one.digest != two.digest
    assert not set(one.bundle.inputs().ids) & set(two.bundle.inputs().ids)


def test_other_base_weights_are_other_data(source: TinySource, tmp_path: Path) -> None:
    before = prepare(source, tmp_path / "cache", seed=0)
    path = source.base_weights("W")
    path.write_bytes(path.read_bytes()[:-1] + b"\1")
    assert prepare(source, tmp_path / "cache", seed=0).digest != before.digest


# --- test items -------------------------------------------------------------------------------


def test_a_third_of_the_problems_is_public_and_no_problem_is_in_both_parts(
    source: TinySource, tmp_path: Path
) -> None:
    tests = draw_test(source, tmp_path / "tests", seed=0)
    problems, shifted = {}, {}
    for part in (Part.PUBLIC, Part.SEALED):
        labels = tests.vault.read(part)
        assert tests.inputs(part).ids == labels.ids
        problems[part] = set(labels.problems)
        pairs = zip(labels.problems, labels.shifted, strict=True)
        shifted[part] = {problem for problem, marked in pairs if marked}
    assert not problems[Part.PUBLIC] & problems[Part.SEALED]
    assert {part: len(found) for part, found in problems.items()} == {"public": 6, "sealed": 12}
    assert {part: len(found) for part, found in shifted.items()} == {"public": 2, "sealed": 4}


def test_test_items_are_kept_from_everyone_else(source: TinySource, tmp_path: Path) -> None:
    directory = draw_test(source, tmp_path / "tests", seed=0).directory
    assert {mode(directory / name) for name in ("host", "vault")} == {0o700}
    assert {path.name for path in directory.iterdir()} == {"host", "vault"}


def test_test_items_are_a_function_of_the_seed_and_no_training_items(
    source: TinySource, tmp_path: Path
) -> None:
    def ids(tests: Prepared) -> set[str]:
        found: set[str] = set()
        for part in ("public", "sealed"):
            inputs: Inputs = shown_inputs(tests, part)
            found |= set(inputs.ids)
        return found

    one, two, other = (
        draw_test(source, tmp_path / name, seed) for name, seed in (("a", 1), ("b", 1), ("c", 2))
    )
    assert one.digest == two.digest != other.digest
    assert contents(one.directory) == contents(two.directory)
    assert not ids(one) & ids(other)
    trained = prepare(source, tmp_path / "cache", seed=1)
    for part in (Part.TRAIN_LABELED, Part.TRAIN_UNLABELED):
        assert not ids(one) & set(trained.inputs(part).ids)


def test_marked_items_of_chat_mini_have_an_unseen_source_in_every_pair(tmp_path: Path) -> None:
    tests = draw_test(ChatMini(), tmp_path, seed=3)
    for part in (Part.PUBLIC, Part.SEALED):
        labels = tests.vault.read(part)
        assert 0 < labels.shifted.mean() < 0.5
        for row, marked in zip(labels.metadata, labels.shifted, strict=True):
            assert bool(set(row["sources"]) & set(SHIFTED_SOURCES)) == marked
