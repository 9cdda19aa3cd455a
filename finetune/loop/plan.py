"""A round that is only looked at: its rows, its memory, time and cost, and what is done already."""

import tempfile
from pathlib import Path

from anyio import to_thread
from pydantic import BaseModel, ConfigDict

from finetune.dataset import check_file, write_rows
from finetune.dataset.sample import Sample
from finetune.loop.folder import RunFolder, unfinished_round
from finetune.loop.freezing import choose, compare_rows
from finetune.loop.gathering import curated, gather
from finetune.loop.judging import live_version
from finetune.loop.preflight import disk_free, disk_needed, plan_training
from finetune.loop.round import Round
from finetune.loop.run import open_round
from finetune.loop.settings import asked_instead, hosted_config, train_config
from finetune.loop.stages import STAGES
from finetune.train import TrainConfig
from finetune.train.bases import measure_data
from finetune.train.hosted import CostEstimate, estimate_cost
from finetune.train.plan import DataSize, Plan
from wiki import WikiSpec

__all__ = ["LoopPlan", "plan_loop"]


class LoopPlan(BaseModel):
    """What a round would do."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    wiki: str
    model: str
    """The model's name in the registry."""
    live: str | None
    """What is in service."""
    resumes: str | None
    """The unfinished round that would go on."""
    finished: tuple[str, ...]
    """Its stages that are finished."""
    stages: tuple[str, ...]
    """All stages in their order."""
    sources: dict[str, int]
    """Rows by source."""
    removed: int
    """Captured rows that the curation leaves out."""
    train_rows: int
    new_rows: int
    """Of these, those that the last round which trained had not."""
    is_enough: bool
    """Whether they are worth a training, by `minimum_new_rows`."""
    held_out_rows: int
    test_rows: int
    minimum_test_rows: int
    config: TrainConfig | None
    """The settings of a training here; None for a hosted one."""
    steps: int | None
    training: Plan | None
    """Memory and time on this machine; None for a hosted training, and without rows."""
    cost: CostEstimate | None
    """What a hosted training costs."""
    disk_needed: int
    """Bytes, roughly."""
    disk_free: int
    promote: str
    hint: str | None
    """What keeps the wiki from being answered by what is promoted; None where nothing does."""


async def plan_loop(
    wiki: WikiSpec,
    *,
    home: Path,
    beside: Path | None = None,
    store: str | None = None,
    project: str | None = None,
) -> LoopPlan:
    """Return what a round would do now; nothing is trained, asked, sent or promoted.

    Args:
        wiki: A wiki with a `loop`.
        home: The folder of the state.
        beside: The folder that the declaration's paths start from; the working folder else.
        store: The journal's database; a file in the home else.
        project: Only rows of this project.

    Raises:
        SwarmError: What would keep the round from starting, as `run_loop` says.
    """
    unfinished = await to_thread.run_sync(unfinished_round, home, wiki.wiki_name)
    round = open_round(
        wiki,
        home=home,
        beside=beside,
        store=store,
        project=project,
        run=unfinished or RunFolder(home / "loops" / wiki.wiki_name / "planned"),
    )
    found = await gather(round)
    kept = await to_thread.run_sync(curated, round, found.captured)
    chosen = await to_thread.run_sync(choose, round, found.own, kept)
    config = plan = cost = steps = None
    if chosen.train:
        size, cost = await to_thread.run_sync(_measured, round, chosen.train)
        if not round.is_hosted:
            config = train_config(round, size.rows)
            step = config.batch_size * config.accumulation
            steps = config.steps or -(-size.rows * config.epochs // step)
            plan = await to_thread.run_sync(plan_training, round, size)
    news = await to_thread.run_sync(compare_rows, round, chosen)
    live = await to_thread.run_sync(live_version, round)
    return LoopPlan(
        wiki=wiki.wiki_name,
        model=round.model,
        live=None if live is None else str(live),
        resumes=unfinished.path.name if unfinished else None,
        finished=tuple(s.name for s in STAGES if unfinished and unfinished.manifest(s.name)),
        stages=tuple(stage.name for stage in STAGES),
        sources=found.counts,
        removed=len(found.captured) - len(kept),
        train_rows=len(chosen.train),
        new_rows=news.new,
        is_enough=news.is_enough or round.is_forced,
        held_out_rows=len(chosen.valid),
        test_rows=len(chosen.test),
        minimum_test_rows=round.gate.minimum_rows,
        config=config,
        steps=steps,
        training=plan,
        cost=cost,
        disk_needed=disk_needed(round),
        disk_free=disk_free(home),
        promote=round.spec.promote,
        hint=asked_instead(wiki, round.model),
    )


def _measured(round: Round, samples: list[Sample]) -> tuple[DataSize, CostEstimate | None]:
    with tempfile.TemporaryDirectory(prefix="wikiswarm-") as folder:
        path = Path(folder) / "train.jsonl"
        write_rows(path, (sample.row for sample in samples))
        rows, tokens, longest = measure_data(path)
        size = DataSize(rows=rows, tokens=tokens, longest=longest)
        if not round.is_hosted:
            return size, None
        return size, estimate_cost(hosted_config(round), check_file(path, minimum=1))
