"""`lab predict`: a method on the training data of a box, and its student's answers to the test
inputs, where the campaign gives these out."""

from __future__ import annotations

import json
import time
from collections.abc import Callable
from pathlib import Path
from typing import Any

from aar_lab.box import box_root
from aar_lab.errors import BadInput
from aar_lab.experiment.run import load_method, make_task, run_method
from aar_lab.experiment.students import infer
from aar_lab.experiment.trial import practice, read_method, student_of
from aar_lab.learners.machine import use_one_thread
from aar_lab.problems.bundle import read_inputs

TEST_INPUTS = "test_inputs.jsonl"


def predict_inputs(
    connect: Callable[[], object], file: Path, into: Path, seed: int = 0
) -> dict[str, Any]:
    """Train on all inputs of the box, and write P(y = 1) for every test input as JSON.

    Raises:
        BadInput: the campaign withholds its test inputs, or `into` cannot be written.
    """
    use_one_thread()
    source, data = read_method(file), box_root() / "data"
    if not (data / TEST_INPUTS).exists():
        raise BadInput(data, "this campaign withholds its test inputs", "Use `lab submit`.")
    bundle, inputs, weak = practice(data)
    task = make_task(bundle, student_of(bundle), inputs, weak)
    started = time.monotonic()
    student = run_method(load_method(source, file.name), task, seed)
    found = infer(task.student, student, read_inputs(data / TEST_INPUTS))
    seconds = round(time.monotonic() - started, 2)
    rows = dict(zip(found.ids, found.probs.tolist(), strict=True))
    try:
        into.write_text(json.dumps(rows), encoding="utf-8")
    except OSError as error:
        raise BadInput(into, f"cannot be written ({error.strerror})", "Name another.") from error
    return {"file": str(into), "items": len(rows), "seconds": seconds}
