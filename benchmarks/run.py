"""`make bench`: where the time goes. Everything is measured in this run; shares are ratios of it.

- fit: one student's fit on one core, against its arithmetic's floor and against `Trainer`'s fit
- submission: from handing in naive to its score, five seeds, on an otherwise idle machine
- campaign: all wall time of the workers outside training and prediction, as a share
- load: two hundred clients against one server, on SQLite and on PostgreSQL
- growth: what handing in costs after a hundred submissions and after a hundred thousand, on both

`PYTHONPATH=. python benchmarks/run.py fit` runs that part alone.
"""

from __future__ import annotations

import json
from functools import partial

import click

from aar_lab.learners.machine import use_one_thread
from campaign import bench_campaign, bench_submission
from databases import on_both
from fit import bench_fit
from growth import bench_growth
from load import bench_load

PARTS = {
    "fit": bench_fit,
    "submission": bench_submission,
    "campaign": bench_campaign,
    "load": partial(on_both, bench_load),
    "growth": partial(on_both, bench_growth),
}


@click.command()
@click.argument("parts", nargs=-1, type=click.Choice(list(PARTS)))
def main(parts: tuple[str, ...]) -> None:
    """Print one JSON document of PARTS, by default of all."""
    use_one_thread()
    print(json.dumps({part: PARTS[part]() for part in parts or PARTS}, indent=1))


if __name__ == "__main__":
    main()
