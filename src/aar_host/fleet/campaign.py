"""A campaign's parts, put together: data, anchors, store, server, sandbox."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from aar_host.anchors.references import Anchors, Progress, build_anchors
from aar_host.feedback import SEALED, Policy
from aar_host.fleet.options import Options
from aar_host.jobs.grounds import ANCHOR_SEEDS, Grounds, lay_grounds
from aar_host.jobs.judging import Judge
from aar_host.jobs.places import database_of, note_campaign
from aar_host.problems.prepare import prepare
from aar_host.problems.registry import get_problem
from aar_host.sandbox import Sandbox, make_sandbox
from aar_host.sandbox.runtime import find_runtime
from aar_host.server.app import create_app
from aar_host.server.keeping import keep_missing
from aar_host.server.mirror import Mirror, mirroring
from aar_host.server.serving import listening
from aar_host.settings import cache_dir, number
from aar_host.snapshots import open_snapshots
from aar_host.store import Store, open_store
from aar_host.store.campaigns import Plan, create_campaign
from aar_lab.errors import BadSettings, Conflict
from aar_lab.rng import derive

RULES = (
    "Submit methods: source text with train(task, rng) -> Student. The host trains them on seeds "
    "of its own and scores the students on items that nobody has seen.",
    "The docstring of a source is its card: a title line, the idea, then sections that begin with "
    "`Objective:`, `Data:`, `Procedure:` and `Hyper-parameters:` (name = value, as in the code); "
    "FAMILY names its family. `lab check FILE` tells what is missing or disagrees.",
    "You are told one number: PGR on the public part, rounded, with its interval.",
    "Finalists are opened on the sealed part once, after the search, on fresh seeds.",
    "Post what you find, good or bad; cite submissions instead of typing numbers.",
)


@dataclass(frozen=True)
class Campaign:
    """A running campaign."""

    id: str
    grounds: Grounds
    anchors: Anchors
    store: Store
    sandbox: Sandbox
    policy: Policy
    started: float

    @property
    def forum(self) -> Path:
        """The folder in which every researcher's box finds the forum as files."""
        return self.grounds.directory / "forum"


def set_up(options: Options, progress: Progress) -> Campaign:
    """Sandbox, data, anchors (both cached), the campaign's directory, its store."""
    source = get_problem(options.problem)
    check_places(options.out, cache_dir())
    sandbox = make_sandbox(options.sandbox)
    prepared = prepare(source, cache_dir())
    anchors = build_anchors(prepared, ANCHOR_SEEDS, options.workers, progress)
    progress("test items and what the anchors say of them", 0, 1)
    grounds = lay_grounds(source, anchors, options.out, options.sandbox)
    progress("test items and what the anchors say of them", 1, 1)
    database = database_of(options.out)
    store = open_store(database)
    plan = Plan(
        problem=source.name,
        version=source.public().version,
        data_digest=prepared.digest,
        policy=SEALED.name,
        anchors_version=anchors.version,
        config={
            "seeds": SEALED.seeds,
            "max_submissions": number("max_submissions"),
            "objective": str(source.public().objective),
            "brief": source.public().brief,
            "rules": list(RULES),
            "seconds": round(options.minutes * 60),
            "seed": options.seed,
            "integrity": options.integrity,
        },
    )
    campaign = create_campaign(store, plan)
    note_campaign(options.out, campaign.id, database)
    return Campaign(campaign.id, grounds, anchors, store, sandbox, SEALED, campaign.created)


def check_places(out: Path, cache: Path) -> None:
    """Refuse an output that is not empty, and places that every box could read.

    Raises:
        Conflict: `out` is not empty.
        BadSettings: one of them lies in a folder that boxes hold, e.g. below /usr.
    """
    if out.exists() and any(out.iterdir()):
        raise Conflict(out, "it is not empty", "Give another directory with --out.")
    mounted = [Path("/usr"), *find_runtime().mounts.values()]
    for place in (out, cache):
        where = place.resolve()
        inside = next((m for m in mounted if where.is_relative_to(m.resolve())), None)
        if inside is not None:
            raise BadSettings(
                place, f"every box holds {inside}, so labels would lie open", "Use another folder."
            )


@contextmanager
def serving(campaign: Campaign) -> Iterator[Path]:
    """Serve the campaign on a unix socket of a short path, as sockets need, and give the path.

    Meanwhile the forum's folder is kept up to date; snapshots that an earlier end left out are made
    good.
    """
    snapshots = open_snapshots(campaign.grounds.directory)
    keep_missing(campaign.store, snapshots, campaign.id)
    judge = Judge(campaign.store, campaign.grounds)
    judge.settle(campaign.id)
    app = create_app(campaign.store, campaign.id, judge, snapshots)
    mirror = Mirror(campaign.store, campaign.id, campaign.policy, campaign.forum)
    with tempfile.TemporaryDirectory(prefix="aar-") as folder:
        path = Path(folder) / "host.sock"
        with mirroring(mirror), listening(app, path):
            yield path


def researcher_seed(options: Options, name: str) -> int:
    """The seed of a researcher's own draws."""
    return derive(options.seed, "researcher", name)
