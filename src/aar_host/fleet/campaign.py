"""A campaign's parts, put together: data, anchors, store, server, sandbox."""

from __future__ import annotations

import shutil
import socket
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

from fastapi import FastAPI

from aar_host.anchors.references import Anchors, Progress, build_anchors
from aar_host.feedback import Policy, admit, get_policy
from aar_host.fleet.options import Options
from aar_host.fleet.rules import rules_of
from aar_host.folders import LOCK, held
from aar_host.jobs.grounds import ANCHOR_SEEDS, Grounds
from aar_host.jobs.judging import Judge
from aar_host.jobs.laying import Terms, lay_grounds
from aar_host.jobs.manifest import read_manifest, write_manifest
from aar_host.jobs.places import noted_database, open_campaign_store
from aar_host.problems.base import ProblemSource
from aar_host.problems.prepare import prepare
from aar_host.problems.registry import get_problem
from aar_host.sandbox import Sandbox, make_sandbox
from aar_host.sandbox.runtime import find_runtime
from aar_host.server.app import create_app
from aar_host.server.keeping import keep_missing
from aar_host.server.mirror import Mirror, mirroring
from aar_host.server.serving import listening
from aar_host.settings import cache_dir, number_or
from aar_host.snapshots import open_snapshots
from aar_host.store import Store, Tier
from aar_host.store.campaigns import Plan, create_campaign
from aar_host.store.database import new_id
from aar_host.store.reviews import ADVISORY, REQUIRED
from aar_lab.errors import BadSettings, Conflict
from aar_lab.rng import derive

SOCKET = "host.sock"


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
    def final_tier(self) -> Tier:
        """The part that judges finalists: the sealed one, or all where nothing is sealed."""
        return Tier(self.policy.opening or self.policy.answering)

    @property
    def forum(self) -> Path:
        """The folder in which every researcher's box finds the forum as files."""
        return self.grounds.directory / "forum"


@contextmanager
def started(
    options: Options, progress: Progress, fresh: bool = True, secret: int | None = None
) -> Iterator[Campaign]:
    """A campaign that is set up, or taken up again, and held by nobody else meanwhile.

    Args:
        fresh: a new one; otherwise the one that lies in `options.out`, with its options.
        secret: of its test items and seeds, see `jobs.laying`; tests alone give it.

    Raises:
        Conflict: a new one is wanted and the directory is not empty; another process holds it; or
            the code or the data have changed since it was started.
        BadInput: there is no campaign to be taken up.
    """
    get_problem(options.problem)
    admit(get_policy(options.policy), options.leaky)
    check_places(options.out, cache_dir(), fresh)
    with held(options.out):
        if fresh:
            database, asked = noted_database(options.out), options.as_dict()
            note = {"campaign": new_id(), "database": database, "options": asked}
            write_manifest(options.out, note)
        yield set_up(options, progress, secret)


def options_of(directory: Path) -> Options:
    """What the campaign in a directory was started with; errors as of `read_manifest`."""
    return Options.from_dict(read_manifest(directory)["options"], directory.absolute())


def set_up(options: Options, progress: Progress, secret: int | None = None) -> Campaign:
    """Sandbox, data, anchors (both cached), the campaign's directory, its store.

    What is there already is left as it is, so that it may be interrupted anywhere and called again.
    """
    source, policy = get_problem(options.problem), get_policy(options.policy)
    sandbox = make_sandbox(options.sandbox)
    prepared = prepare(source, cache_dir())
    grounds = Grounds(options.out)
    _check_same(grounds, "data", prepared.digest)
    anchors = build_anchors(prepared, ANCHOR_SEEDS, options.workers, progress)
    _check_same(grounds, "anchors_version", anchors.version)
    if not grounds.laid:
        progress("test items and what the anchors say of them", 0, 1)
        terms = Terms(options.sandbox, policy, secret)
        lay_grounds(source, anchors, options.out, terms)
        progress("test items and what the anchors say of them", 1, 1)
    store, name = open_campaign_store(options.out)
    campaign = create_campaign(store, _plan(options, policy, source, anchors), name)
    return Campaign(name, grounds, anchors, store, sandbox, policy, campaign.created)


def _plan(options: Options, policy: Policy, source: ProblemSource, anchors: Anchors) -> Plan:
    return Plan(
        problem=source.name,
        version=source.public().version,
        data_digest=anchors.prepared.digest,
        policy=policy.name,
        anchors_version=anchors.version,
        config={
            "seeds": policy.seeds,
            **_caps(policy),
            "objective": str(source.public().objective),
            "brief": source.public().brief,
            "rules": rules_of(policy),
            "seconds": round(options.minutes * 60),
            "seed": options.seed,
            "integrity": options.integrity,
            "reseals": options.reseals,
            "directed": options.directed,
            "sharing": options.sharing,
            "budgets": options.budgets.as_dict(),
            "review": _review(options),
        },
    )


def _review(options: Options) -> str | None:
    if options.review is None:
        return None
    return REQUIRED if options.review.required else ADVISORY


def _caps(policy: Policy) -> dict[str, int]:
    """The policy's caps, with a pool of the size that was set; a policy that bounds each
    researcher rests on its pool, which can only be made smaller."""
    pool = number_or("max_submissions", policy.max_submissions)
    if policy.max_each is not None:
        pool = min(pool, policy.max_submissions)
    return policy.caps | {"max_submissions": pool}


def _check_same(grounds: Grounds, name: str, value: str) -> None:
    """`Conflict` if a campaign that is laid out rests on something else: its scores would, too."""
    if grounds.laid and grounds.facts[name] != value:
        raise Conflict(
            f"{name} {value[:16]}",
            f"the campaign was started with {grounds.facts[name][:16]}",
            "Use the code and the cache (AAR_CACHE_DIR) that it was started with.",
        )


def check_places(out: Path, cache: Path, fresh: bool = True) -> None:
    """Refuse places that every box could read, and for a new campaign an output not empty.

    Raises:
        Conflict: `out` is not empty.
        BadSettings: one of them lies in a folder that boxes hold, e.g. below /usr.
    """
    if fresh and out.exists() and {path.name for path in out.iterdir()} - {LOCK}:
        raise Conflict(
            out, "it is not empty", "Give another directory, or go on with `aar run --resume`."
        )
    mounted = [Path("/usr"), *find_runtime().mounts.values()]
    for place in (out, cache):
        where = place.resolve()
        inside = next((m for m in mounted if where.is_relative_to(m.resolve())), None)
        if inside is not None:
            raise BadSettings(
                place, f"every box holds {inside}, so labels would lie open", "Use another folder."
            )


@contextmanager
def answering(campaign: Campaign) -> Iterator[FastAPI]:
    """The campaign's application. Meanwhile the forum's folder is kept up to date; what an earlier
    end left undone is made good: snapshots, and scores of predictions."""
    snapshots = open_snapshots(campaign.grounds.directory)
    keep_missing(campaign.store, snapshots, campaign.id)
    judge = Judge(campaign.store, campaign.grounds)
    judge.settle(campaign.id)
    mirror = Mirror(campaign.store, campaign.id, campaign.policy, campaign.forum)
    with mirroring(mirror):
        yield create_app(campaign.store, campaign.id, judge, snapshots)


@contextmanager
def serving(campaign: Campaign) -> Iterator[Path]:
    """Serve the campaign on a unix socket of a short path, as sockets need, and give the path.

    The path is the campaign's own, so that what a killed host left there is cleared away.
    """
    folder = socket_folder(campaign.id)
    folder.mkdir(mode=0o700, exist_ok=True)
    try:
        with answering(campaign) as app, listening(app, folder / SOCKET):
            yield folder / SOCKET
    finally:
        shutil.rmtree(folder, ignore_errors=True)


def socket_folder(campaign: str) -> Path:
    """Where the sockets of a running fleet lie, by the campaign's id."""
    return Path(tempfile.gettempdir()) / f"aar-{campaign}"


def answering_socket(directory: Path, campaign: str) -> Path | None:
    """The socket at which a campaign is served just now, by `aar run` or `aar serve`."""
    for path in (directory / SOCKET, socket_folder(campaign) / SOCKET):
        if path.is_socket():
            with socket.socket(socket.AF_UNIX) as probe:
                if probe.connect_ex(str(path)) == 0:
                    return path
    return None


def researcher_seed(options: Options, name: str) -> int:
    """The seed of a researcher's own draws."""
    return derive(options.seed, "researcher", name)
