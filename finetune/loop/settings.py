"""What a declaration says, in the words of the packages that do the work."""

from collections.abc import Iterator
from typing import Any

from pydantic import BaseModel, ValidationError

from finetune.evaluate import GateMetric, GatePolicy
from finetune.evaluate.metrics import ROW_METRICS
from finetune.loop.round import SEED, Round
from finetune.package import PackagingError, Quantisation, parse_quantisation
from finetune.train import TrainConfig, default_config
from finetune.train.defaults import epochs_for
from finetune.train.hosted import HostedConfig, dated_suffix
from swarm.errors import DeclarationError, Problem
from wiki import LoopSpec, WikiSpec
from wiki.registry.reference import LIVE

__all__ = [
    "asked_instead",
    "find_setting_problems",
    "hosted_config",
    "policy_of",
    "quantisation_of",
    "train_config",
]

_CHECKPOINTS = 8
"""A killed training loses at most such a part of its steps, and never fewer than `_FEWEST`."""
_FEWEST = 25
_OWN = ("backend", "base", "method", "lora", "quantization", "adapter")
"""Settings of a training that other fields of the loop decide."""
_OWN_HOSTED = ("backend", "model", "method")


def train_config(round: Round, rows: int) -> TrainConfig:
    """Return the settings of a training on this machine.

    Raises:
        DeclarationError: The declaration's `train` holds what a training does not know.
    """
    _refuse(round.wiki)
    usual: dict[str, Any] = {
        "system": round.wiki.system,
        "seed": SEED,
        "backend": round.spec.backend,
        **round.spec.train,
    }
    base = round.base_folder
    if base is None:
        made = TrainConfig.model_validate({"epochs": epochs_for(rows), **usual})
    else:
        made = default_config(round.spec.technique, base, **usual)
    if made.save_every:
        return made
    steps = made.steps or -(-rows * made.epochs // (made.batch_size * made.accumulation))
    return made.model_copy(update={"save_every": max(_FEWEST, steps // _CHECKPOINTS)})


def hosted_config(round: Round) -> HostedConfig:
    """Return the settings of a training at a provider, its model named by the round's time.

    Raises:
        DeclarationError: The declaration's `train` holds what a job does not know.
    """
    _refuse(round.wiki)
    started = round.run.read()
    at = started.started_at if started is not None else None
    return HostedConfig.model_validate(
        {
            "suffix": dated_suffix(round.wiki.wiki_name, at),
            **round.spec.train,
            "backend": round.spec.backend,
            "model": round.spec.base,
        }
    )


def quantisation_of(round: Round) -> Quantisation:
    """Return how the weights are stored.

    Raises:
        DeclarationError: There is no such way.
    """
    _refuse(round.wiki)
    return parse_quantisation(round.spec.quantization)


def policy_of(round: Round) -> GatePolicy:
    """Return what the new version has to show.

    Raises:
        DeclarationError: There is no such figure.
    """
    _refuse(round.wiki)
    gate = round.gate
    other = "exact" if gate.metric == "token_f1" else "token_f1"
    return GatePolicy(
        primary=GateMetric.model_validate({"metric": gate.metric, "margin": gate.margin}),
        others=(GateMetric.model_validate({"metric": other, "margin": gate.margin}),),
        must_improve=gate.must_improve,
        minimum_rows=gate.minimum_rows,
        confidence=gate.confidence,
    )


def asked_instead(wiki: WikiSpec, model: str) -> str | None:
    """Return what to change where a wiki asks something else than what its loop promotes.

    Args:
        wiki: The wiki.
        model: The name of the loop's model in the registry.
    """
    live = f"registry/{model}@{LIVE}"
    if wiki.model in (live, f"registry/{model}"):
        return None
    asked = wiki.model or f"the completion {wiki.completion!r}"
    return f"{wiki.wiki_name} asks {asked}; to be answered by what the loop promotes: model: {live}"


def find_setting_problems(wiki: WikiSpec) -> Iterator[Problem]:
    """Find what a wiki's `loop` says that no training, gate or packaging knows."""
    spec, where = wiki.loop, f"wikis.{wiki.wiki_name}.loop"
    if spec is None:
        return
    is_hosted = spec.backend in ("openai", "cohere")
    own = _OWN_HOSTED if is_hosted else _OWN
    for name in own:
        if name in spec.train:
            yield Problem("the loop decides it; leave it out", f"{where}.train.{name}")
    yield from _train_problems(spec, own, where)
    if spec.promote == "candidate" and wiki.candidate is None:
        hint = "candidate: {share: 0.1}"
        message = "the wiki does not say which clients a candidate answers"
        yield Problem(message, f"{where}.promote", hint=hint)
    if spec.gate is not None and spec.gate.metric not in (*ROW_METRICS, "judge"):
        known = ", ".join([*ROW_METRICS, "judge"])
        message = f"no figure {spec.gate.metric!r}"
        yield Problem(message, f"{where}.gate.metric", hint=f"one of {known}")
    try:
        parse_quantisation(spec.quantization)
    except PackagingError as unknown:
        yield Problem(str(unknown), f"{where}.quantization")


def _train_problems(spec: LoopSpec, own: tuple[str, ...], where: str) -> Iterator[Problem]:
    given = {name: value for name, value in spec.train.items() if name not in own}
    kind: type[BaseModel] = TrainConfig
    if own is _OWN_HOSTED:
        kind, given = HostedConfig, {**given, "backend": spec.backend, "model": spec.base}
    try:
        kind.model_validate(given)
    except ValidationError as wrong:
        for error in wrong.errors(include_input=False, include_url=False):
            place = ".".join((f"{where}.train", *map(str, error["loc"])))
            is_unknown = error["type"] == "extra_forbidden"
            yield Problem("unknown setting" if is_unknown else error["msg"], place)


def _refuse(wiki: WikiSpec) -> None:
    problem = next(find_setting_problems(wiki), None)
    if problem is not None:
        raise DeclarationError(str(problem))
