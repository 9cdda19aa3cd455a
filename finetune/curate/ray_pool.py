"""Shards worked on by Ray Data, on one machine or on many that share the folder."""

import importlib
import importlib.util
import json
from collections.abc import Iterator, Sequence
from pathlib import Path
from typing import Any

from finetune.curate.pipeline import Pipeline
from finetune.curate.shards import Shard
from finetune.curate.work import Counts, Worker
from swarm.errors import SetupError

__all__ = ["RayPool"]


class RayPool:
    """Works as tasks of Ray; needs the extra `ray`."""

    def __init__(self, pipeline: Pipeline, workers: int | None = None) -> None:
        """Check that it can work.

        Raises:
            SetupError: Ray, or a package of a step, is missing.
        """
        if importlib.util.find_spec("ray") is None:
            raise SetupError("Ray is missing; pip install 'wikiswarm[ray]'")
        Worker(pipeline)
        self._pipeline, self._workers = pipeline.encoded(), workers

    def run(self, folder: Path, shards: Sequence[Shard]) -> Iterator[tuple[Shard, Counts]]:
        """Yield each shard with what it gave, as they are done."""
        if not shards:
            return
        # Its own annotations are partial.
        ray: Any = importlib.import_module("ray")
        data: Any = importlib.import_module("ray.data")
        if not ray.is_initialized():
            ray.init(num_cpus=self._workers, include_dashboard=False, log_to_driver=False)
        given = [{"shard": json.dumps(shard._asdict())} for shard in shards]
        rows = data.from_items(given, override_num_blocks=len(given))
        work = _Work(self._pipeline, str(folder))
        for row in rows.map(work).iter_rows():
            yield Shard(**json.loads(row["shard"])), Counts(**json.loads(row["counts"]))


class _Work:
    """A task: one shard. It makes the steps anew in the process that it lands in."""

    def __init__(self, pipeline: str, folder: str) -> None:
        self._pipeline, self._folder = pipeline, folder

    def __call__(self, row: dict[str, Any]) -> dict[str, Any]:
        worker = Worker(Pipeline.decoded(self._pipeline))
        counts = worker.work(Path(self._folder), Shard(**json.loads(row["shard"])))
        return {"shard": row["shard"], "counts": json.dumps(counts._asdict())}
