"""The rules that a problem keeps: each looks at a case and says whether, and what it found."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator, Sequence
from dataclasses import asdict, dataclass
from functools import cached_property
from string import Formatter

from aar_host.problems import leaks
from aar_host.problems.base import Draw, ProblemSource
from aar_host.vault import Labels
from aar_lab.learners.model import Architecture
from aar_lab.problems.bundle import Problem
from aar_lab.problems.rows import RowWriter
from aar_lab.problems.tokens import END, Tokeniser
from aar_lab.types import Inputs

MIN_SUPERVISORS = 5
MIN_TEST = 6
PRACTICE_PROBLEMS = 200
SAMPLE = 1000
RARER_CLASS = 0.2
RECURRING = 0.05
SEED, OTHER_SEED = 1, 2
LEARNT = ("train_labeled", "train_unlabeled", "practice")
TESTED = ("test", "shifted")


@dataclass(frozen=True)
class Case:
    """A problem under examination; data are drawn once, at most `SAMPLE` problems a purpose unless
    they are finite."""

    source: ProblemSource

    @cached_property
    def problem(self) -> Problem:
        """The public description."""
        return self.source.public()

    @cached_property
    def data(self) -> dict[str, tuple[Inputs, Labels]]:
        """What is drawn for each purpose."""
        return {what.purpose: self.source.draw(what) for what in self.draws(SEED)}

    def draws(self, seed: int) -> Iterator[Draw]:
        """A draw for each purpose."""
        sizes = self.source.sizes
        for purpose in (*LEARNT, *TESTED):
            wanted = PRACTICE_PROBLEMS if purpose == "practice" else getattr(sizes, purpose)
            number = wanted if self.problem.finite else min(wanted, SAMPLE)
            yield Draw(seed, purpose, number, sizes.pairs, purpose == "shifted")

    def rows(self, purposes: Sequence[str]) -> list[list[int]]:
        """Task rows of all items of some purposes, in tokens."""
        writer = RowWriter(self.problem)
        return [row for purpose in purposes for row in writer.task(self.data[purpose][0])]


def description(case: Case) -> tuple[bool, str]:
    """Name, texts and the two base models."""
    problem, source = case.problem, case.source
    texts = {"version": problem.version, "summary": problem.summary, "brief": problem.brief}
    faults = [f"no {name}" for name, text in texts.items() if not text.strip()]
    if not re.fullmatch(r"[a-z0-9][a-z0-9-]*", problem.name) or problem.name != source.name:
        faults.append(f"the name {problem.name!r}")
    roles = {"weak": source.weak, "strong": source.strong}
    faults += [f"{r} {n!r} is no student" for r, n in roles.items() if n not in problem.students]
    return not faults, "; ".join(faults) or f"{problem.name}, version {problem.version}"


def shapes(case: Case) -> tuple[bool, str]:
    """Students' networks, and where their base weights come from."""
    faults = []
    for name, shape in case.problem.students.items():
        arch = Architecture(**shape)
        if min(shape.values()) < 1 or arch.width % arch.heads:
            faults.append(f"{name}: heads must divide the width, and all be positive")
        if arch.vocabulary != len(case.problem.vocabulary):
            faults.append(f"{name}: vocabulary {arch.vocabulary}, not that of the problem")
    for name in {case.source.weak, case.source.strong} & set(case.problem.students):
        shipped = case.source.base_weights(name)
        if name not in case.source.pretraining and (shipped is None or not shipped.exists()):
            faults.append(f"{name}: neither base weights nor a pretraining")
    return not faults, "; ".join(faults) or f"students {', '.join(case.problem.students)}"


def vocabulary(case: Case) -> tuple[bool, str]:
    """Every word that a format adds to an example is in the vocabulary."""
    formats, tokens = case.problem.formats, Tokeniser(case.problem.vocabulary)
    literal = [text for form in (formats.task, *formats.elicit) for text, *_ in parsed(form)]
    for text in (*literal, *formats.likes, *formats.dislikes, formats.gap):
        tokens.encode(text)
    return True, f"{len(tokens)} words"


def parsed(form: str) -> list[tuple[str, str | None]]:
    """Literal texts of a format, each with the field that follows it."""
    return [(text, field) for text, field, *_ in Formatter().parse(form)]


def sizes(case: Case) -> tuple[bool, str]:
    """Enough for anchors, and for scores on both parts of the tests."""
    given = case.source.sizes
    if min(asdict(given).values()) < 1 or not 0 <= case.source.weak_misses < 1:
        return False, f"a size below 1, or weak_misses {case.source.weak_misses} outside [0, 1)"
    supervisors = given.train_labeled // given.weak_problems
    objective = case.problem.objective
    used = {m.items for m in objective.metrics} | {g.items for g in objective.gates}
    tested = min(given.test, given.shifted if "shifted" in used else given.test)
    found = f"{supervisors} weak supervisors, {given.test} test problems, {given.shifted} shifted"
    return supervisors >= MIN_SUPERVISORS and tested >= MIN_TEST, found


def draws(case: Case) -> tuple[bool, str]:
    """As many items as asked for, marked as asked for, equal for equal seeds."""
    faults, found = [], []
    for what, other in zip(case.draws(SEED), case.draws(OTHER_SEED), strict=True):
        inputs, labels = case.data[what.purpose]
        wanted = what.problems * what.pairs
        again = case.source.draw(what)
        if len(inputs) != wanted or inputs.ids != labels.ids:
            faults.append(f"{what.purpose}: {len(inputs)} items or their labels, not {wanted}")
        elif again[0] != inputs or (again[1].truth != labels.truth).any():
            faults.append(f"{what.purpose}: drawn twice, it differs")
        elif set(case.source.draw(other)[0].ids) & set(inputs.ids):
            faults.append(f"{what.purpose}: another seed repeats ids")
        elif (labels.shifted != what.shifted).any():
            faults.append(f"{what.purpose}: items wrongly marked as shifted or not")
        found.append(f"{wanted} {what.purpose}")
    return not faults, "; ".join(faults or found)


def ids(case: Case) -> tuple[bool, str]:
    """No id serves two purposes."""
    every = [name for inputs, _ in case.data.values() for name in inputs.ids]
    twice = len(every) - len(set(every))
    return not twice, f"{len(every)} ids, {twice} used for two purposes"


def rows(case: Case) -> tuple[bool, str]:
    """Every example can be written, in every format, within the context of every student."""
    writer, formats = RowWriter(case.problem), case.problem.formats
    context, longest = min(shape["context"] for shape in case.problem.students.values()), 0
    for purpose, (inputs, _) in case.data.items():
        if not all(isinstance(text, str) for row in inputs.data for text in row.values()):
            return False, f"{purpose}: a field is no text"
        written = writer.task(inputs)
        if formats.swap:
            written += writer.task(inputs, "swap")
        for template in range(len(formats.elicit)):
            written += [row for side in writer.elicit(inputs, template) for row in side]
        longest = max(longest, *map(len, written))
    return longest <= context, f"rows of up to {longest} words, context {context}"


def labels(case: Case) -> tuple[bool, str]:
    """Both classes are common everywhere."""
    shares = {purpose: float(known.truth.mean()) for purpose, (_, known) in case.data.items()}
    ok = all(RARER_CLASS <= share <= 1 - RARER_CLASS for share in shares.values())
    return ok, "share of y = 1: " + ", ".join(f"{p} {share:.2f}" for p, share in shares.items())


def clusters(case: Case) -> tuple[bool, str]:
    """More than one problem everywhere."""
    counts = {purpose: len(set(known.problems)) for purpose, (_, known) in case.data.items()}
    found = "problems: " + ", ".join(f"{purpose} {count}" for purpose, count in counts.items())
    return min(counts.values()) >= 2, found


def split(case: Case) -> tuple[bool, str]:
    """What is tested was not learnt from; in finite data no problem serves two purposes."""
    learnt = {tuple(row) for row in case.rows(LEARNT)}
    tested = case.rows(TESTED)
    share = sum(tuple(row) in learnt for row in tested) / len(tested)
    every = [name for _, known in case.data.values() for name in set(known.problems)]
    twice = len(every) - len(set(every)) if case.problem.finite else 0
    found = f"{share:.1%} of test rows are training rows"
    return share <= RECURRING and not twice, f"{found}, {twice} problems serve two purposes"


def labels_hidden(case: Case) -> tuple[bool, str]:
    """Nothing that a researcher may read of an item gives its label away."""
    learnt = [case.data[purpose] for purpose in LEARNT]
    faults = leaks.fields(case.data.values()) + leaks.order(learnt, case.source.sizes.pairs)
    for name, reader in leaks.readers(learnt[0][0], case.source.sizes.pairs).items():
        known = leaks.read(learnt, reader)
        tested = leaks.read([case.data["test"]], reader)
        told = leaks.telling_word(known) if name.startswith("words") else None
        if told is not None:
            faults.append(f"{name}: {told!r} tells the label")
        elif leaks.telling_lookup(known, tested):
            faults.append(f"{name}: a table of it tells the label")
    return not faults, "; ".join(faults) or "no field, id, length or order tells the label"


def metadata_hidden(case: Case) -> tuple[bool, str]:
    """No private fact is shown; all can be stored."""
    faults = set()
    for inputs, known in case.data.values():
        json.dumps(known.metadata)
        faults |= leaks.shown(inputs, known)
    return not faults, f"shown: {', '.join(sorted(faults))}" if faults else "none is shown"


def corpus(case: Case) -> tuple[bool, str]:
    """Documents are whole, short enough, and hold neither a verdict nor finite test data."""
    words = case.problem.vocabulary
    end = words.index(END)
    verdicts = {tuple(row) for row in case.rows([*LEARNT, *TESTED])}
    tested = {tuple(row) for row in case.rows(TESTED)} if case.problem.finite else set()
    lengths, documents = {len(row) for row in verdicts}, 0
    for student in (case.source.weak, case.source.strong):
        longest = case.problem.students[student]["context"] + 1
        for place, row in enumerate(case.source.corpus(student, 0)):
            where, documents = f"document {place} of {student}", documents + 1
            inside = row[:-1]
            if not row or row[-1] != end or any(not end < t < len(words) for t in inside):
                return False, f"{where}: not known words ended by one {END}"
            if len(row) > longest:
                return False, f"{where}: {len(row)} words, context {longest - 1}"
            starts = {tuple(inside[:n]): n for n in lengths if n <= len(inside)}
            if any(start in verdicts and n < len(inside) for start, n in starts.items()):
                return False, f"{where}: a task row followed by more words"
            if starts.keys() & tested:
                return False, f"{where}: a test row"
    return documents > 0, f"{documents} documents of the first chunk"
