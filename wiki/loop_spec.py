"""What a wiki says about its own training, under `loop:`; `finetune.loop` reads it.

Only the settings are here: a wiki that is asked needs nothing of the training.
"""

from collections.abc import Mapping, Sequence
from typing import Annotated, Literal

from pydantic import AfterValidator, Field, JsonValue, field_validator, model_validator

from swarm import Spec
from wiki.schedule import check_schedule

__all__ = ["LoopGateSpec", "LoopSpec"]


class LoopGateSpec(Spec):
    """What a new version has to show before it may serve."""

    golden: str | Annotated[Sequence[str], AfterValidator(tuple)] | None = None
    """The questions of the test, one or several of: a golden set's name, a file beside the document
    (`.jsonl`, or `.yaml`, whose held-out phrasings are asked). Without it, the held-out phrasings
    of `questions` and the held-out rows of the dataset."""
    metric: str = "exact"
    """The figure that has to be better: exact, normalised, token_f1, rouge_l, judge ..."""
    margin: Annotated[float, Field(ge=0, le=1)] = 0.02
    """How much worse other figures may be."""
    must_improve: bool = True
    """Whether not being worse by the margin is too little."""
    minimum_rows: Annotated[int, Field(ge=2)] = 50
    """Fewer questions decide nothing."""
    confidence: Annotated[float, Field(gt=0.5, lt=1)] = 0.95
    """0.95 lets an equal model pass once in twenty times."""
    judge: str | None = None
    """A model reference that scores the answers, for the figure `judge`."""


class LoopSpec(Spec):
    """How the next version of a wiki's model is made, and when."""

    base: str = "scratch"
    """What training starts from: `scratch`, a model folder relative to the document, or, for a
    hosted back end, the provider's model."""
    backend: Literal["local", "unsloth", "openai", "cohere"] = "local"
    """Who trains."""
    technique: Literal["lora", "qlora", "full"] = "lora"
    """What is trained of a base folder; a model made from nothing trains all its weights."""
    train: Mapping[str, JsonValue] = {}
    """Further settings of the training, by the names of `TrainConfig` or `HostedConfig`."""
    licence: str | None = None
    """The licence of the base; needed for a folder, which does not say."""
    questions: str | None = None
    """The wiki's own questions file, relative to the document."""
    corrections: bool = True
    """Learn the answers that people corrected."""
    candidates: bool = True
    """Learn the rows that people or rules accepted, see `wikiswarm dataset candidates`."""
    minimum_rating: Annotated[int, Field(ge=1, le=5)] | None = None
    """Learn the wiki's own answers that were rated so or better; none when absent."""
    curation: str | Annotated[Sequence[JsonValue], AfterValidator(tuple)] | None = None
    """The steps that captured rows pass: a pipeline file, or a list of steps."""
    held_out: Annotated[float, Field(ge=0, lt=1)] = 0.1
    """Share of the captured rows that is kept out of training, to measure it where the gate has no
    `golden`."""
    gate: LoopGateSpec | None = None
    """What the new version has to show; see docs/loop.md."""
    quantization: str = "q8_0"
    """How the weights are stored."""
    every: str | None = None
    """When it is due: `7 days`, `12 hours`, or five fields as in cron, in UTC: `0 3 * * 1`."""
    minimum_new_rows: Annotated[int, Field(ge=0)] = 1
    """Fewer rows that the last round did not have are too few for a training."""
    promote: Literal["automatically", "ask", "candidate"] = "ask"
    """What happens with a better version: it serves, somebody is asked, or it gets the alias
    `candidate`."""
    keep_refused: bool = True
    """Keep the weights of a refused version in the run folder; the reports stay in any case."""
    max_cost: Annotated[float, Field(ge=0)] | None = None
    """The most that a hosted training may cost, in US dollars; only a host of your own
    (`train: {base_url: ...}`), whose prices nobody knows, does without."""
    max_tokens: Annotated[int, Field(gt=0)] = 256
    """Where an answer that does not end is cut in the test."""

    @field_validator("every")
    @classmethod
    def _is_a_schedule(cls, text: str | None) -> str | None:
        if text is not None:
            check_schedule(text)
        return text

    @model_validator(mode="after")
    def _has_rows(self) -> "LoopSpec":
        sources = (self.questions, self.corrections, self.candidates, self.minimum_rating)
        if not any(sources):
            raise ValueError("nothing to learn from: give `questions`, or let rows be captured")
        if self.backend in ("openai", "cohere"):
            if self.base == "scratch":
                raise ValueError("a hosted back end needs the provider's model as `base`")
            if self.max_cost is None and "base_url" not in self.train:
                raise ValueError("a provider wants paying: set `max_cost`, in US dollars")
        elif self.max_cost is not None:
            raise ValueError("`max_cost` belongs to a hosted back end")
        if self.backend == "unsloth" and self.base == "scratch":
            raise ValueError("unsloth needs a model folder as `base`")
        if self.gate is not None and self.gate.metric == "judge" and self.gate.judge is None:
            raise ValueError("the figure `judge` needs `judge`, a model reference")
        return self
