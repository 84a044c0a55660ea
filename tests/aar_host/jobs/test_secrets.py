"""A training box holds no test item, no label of another seed, no secret: looked for by content."""

from __future__ import annotations

import json

from aar_host.jobs.grounds import SEEDS
from aar_host.problems.prepare import test_inputs as inputs_of  # a bare name would be collected
from aar_host.store import Tier
from aar_host.store.jobs import jobs_of
from aar_lab.types import JobStatus

# The needles are written backwards, so that the method's own file does not hold them. What the
# machine had before the campaign (/usr, the interpreter, its packages) is not read.
WALK = """
import os, sys

def search(root, needles):
    found, read = set(), 0
    past = ("/usr", "/opt/packages", sys.base_prefix, "/sys")
    for parent, folders, names in os.walk(root):
        folders[:] = [f for f in folders if not os.path.join(parent, f).startswith(past)]
        for name in names:
            path = os.path.join(parent, name)
            if not os.path.isfile(path):
                continue
            try:
                with open(path, "rb") as file:
                    content = file.read(1 << 20) + path.encode()
            except OSError:
                continue
            read += 1
            found |= {needle for needle in needles if needle.encode() in content}
    return found, read
"""
METHOD = """
def train(task, rng):
    needles = [needle[::-1] for needle in NEEDLES]
    found, read = search("/", needles)
    own, _ = search("/data", [task.inputs.ids[0]])
    raise LookupError(f"read {read}, own {len(own)}, found {sorted(found)}")
"""


def needles_of(grounds) -> list[str]:
    """Ids of test items, of their problems, a weak label of each seed, and the secret seed."""
    found = [str(grounds.facts["secret"]), grounds.facts["tests"]]
    for tier in Tier:
        found += inputs_of(grounds.tests, tier).ids[::8]
        for seed in range(SEEDS):
            found.append(str(grounds.method_seed(tier, seed)))
    found += [path.name for path in grounds.directory.glob("host/*.npz")]
    labels = next(iter((grounds.directory / "vault").iterdir()))
    return [*found, labels.read_text().splitlines()[0]]


def test_a_method_that_reads_every_file_of_its_box(site):
    needles = needles_of(site.grounds)
    space: dict[str, object] = {}
    exec(WALK, space)  # noqa: S102  our own text, above
    outside, _ = space["search"](str(site.grounds.directory), needles)
    methods = {str(site.grounds.method_seed(t, s)) for t in Tier for s in range(SEEDS)}
    assert outside == set(needles) - methods  # those are derived, and lie nowhere
    source = WALK + f"NEEDLES = {json.dumps([n[::-1] for n in needles])}\n" + METHOD
    ended = site.run(source)
    log = jobs_of(site.store, ended.id, Tier.PUBLIC)[0].log
    assert ended.status is JobStatus.CRASHED
    assert "own 1, found []" in log
    assert int(log.rpartition("read ")[2].split(",")[0]) > 50
