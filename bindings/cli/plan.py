"""`plan`: what to train and how on this machine, before anything is started."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Literal

import typer

from bindings.cli.options import JsonOption
from bindings.cli.output import command, done, print_json, print_table, say

if TYPE_CHECKING:
    from finetune.train.advice import Advice
    from finetune.train.plan import Plan

__all__ = ["plan"]


@command
def plan(
    data: Annotated[
        Path | None, typer.Argument(help="Questions (.yaml), or SFT or DPO rows (.jsonl).")
    ] = None,
    base: Annotated[
        str | None, typer.Option(help="A model of the catalogue, a model folder, or scratch.")
    ] = None,
    use_case: Annotated[
        str | None, typer.Option(help="Choose the base for it: code, laptop, portuguese, ...")
    ] = None,
    epochs: Annotated[int, typer.Option(help="Passes over the data.", min=1)] = 3,
    trouble: Annotated[
        Literal["facts", "format", "style", "task", "cost"] | None,
        typer.Option(help="What is wrong today; says whether training is the cure."),
    ] = None,
    private: Annotated[
        bool, typer.Option("--private", help="The data may not leave your machines.")
    ] = False,
    per_day: Annotated[
        int | None, typer.Option(help="Questions a day, for the pay-back.", min=0)
    ] = None,
    hosted_model: Annotated[
        str | None, typer.Option(help="Give the price of this provider's model too.")
    ] = None,
    output: Annotated[
        Path | None, typer.Option(help="Write the settings here, for train --config.")
    ] = None,
    as_json: JsonOption = False,
) -> None:
    """Plan a training: technique, memory, settings, time, cost; without DATA, list the bases."""
    from finetune.train.advice import advise
    from finetune.train.bases import find_base, measure_data
    from finetune.train.catalogue import recommend
    from finetune.train.hardware import find_hardware
    from finetune.train.plan import DataSize, make_plan

    if data is None:
        _bases(use_case, as_json)
        return
    if base is None:
        base = recommend(use_case)[0].name if use_case else "scratch"
    rows, tokens, longest = measure_data(data)
    size = DataSize(rows=rows, tokens=tokens, longest=longest)

    def price(trained: int) -> float | None:
        return _price(hosted_model, trained) if hosted_model else None

    found = make_plan(
        size, find_base(base), find_hardware(), per_day=per_day, epochs=epochs, hosted_price=price
    )
    if output is not None:
        _write(found, output)
    advice = None
    if trouble is not None:
        advice = advise(trouble, rows=rows, per_day=per_day, is_private=private)
    if as_json:
        print_json({"plan": found, "advice": advice})
        return
    _print(found, advice)


def _write(plan: "Plan", path: Path) -> None:
    from swarm.errors import StoreError
    from swarm.files import write_atomically

    # The base is left to --base: a model of the catalogue has to be fetched into a folder first.
    text = plan.config.model_dump_json(indent=2, exclude={"base"}) + "\n"
    try:
        write_atomically(path, text)
    except OSError as error:
        raise StoreError(f"{path}: {error.strerror or error}") from error


def _print(plan: "Plan", advice: "Advice | None") -> None:
    if advice is not None:
        done(f"advice: {advice.answer}; {'; '.join(advice.reasons)}")
    fits = "" if plan.fits else ", which this machine cannot hold"
    done(f"{plan.base}: {plan.technique}{fits}")
    for reason in plan.reasons:
        done(f"  {reason}")
    columns = ("technique", "weights GB", "trained GB", "activations GB", "total GB")
    print_table(
        columns,
        [
            (name, m.weights_gb, m.trained_gb, m.activations_gb, m.total_gb)
            for name, m in plan.memory.items()
        ],
    )
    config = plan.config
    lora = f"rank {config.lora.rank}, alpha {config.lora.alpha}, " if config.lora else ""
    done(
        f"settings: {lora}learning rate {config.learning_rate:g}, batch {config.batch_size} x"
        f" {config.accumulation}, {config.epochs} epochs, {plan.steps} steps, rows up to"
        f" {config.max_length} tokens"
    )
    done(f"time: about {_duration(plan.seconds)} here, right to a factor of three")
    if plan.hosted_cost is not None:
        done(f"hosted: about ${plan.hosted_cost:,.2f}")
    if plan.payback is not None:
        days = f"after {plan.payback.days:g} days" if plan.payback.days is not None else "never"
        done(f"a local model pays for itself {days}: {plan.payback.reason}")
    if plan.licence is not None:
        done(f"licence: {plan.licence.name}")
        for term in plan.licence.terms:
            done(f"  {term}")
    for hint in plan.hints:
        say(f"hint: {hint}")


def _bases(use_case: str | None, as_json: bool) -> None:
    from finetune.train.catalogue import catalogue, recommend
    from finetune.train.memory import estimate_memory

    known = catalogue()
    models = recommend(use_case) if use_case else known.models
    if as_json:
        print_json({"as_of": known.as_of, "models": models, "licences": known.licences})
        return
    rows = [
        (
            model.name,
            f"{model.shape.parameters / 1e9:.1f} B",
            f"{estimate_memory(model.shape, 'qlora', batch_size=2).total_gb:.1f} GB",
            known.licence(model).name,
            ", ".join(model.use_cases),
            model.strengths,
        )
        for model in models
    ]
    print_table(("base", "weights", "QLoRA needs", "licence", "use cases", "strengths"), rows)
    say(f"as of {known.as_of}; plan one: wikiswarm plan DATA --base NAME")


def _price(model: str, tokens: int) -> float | None:
    from finetune.train.hosted import HostedConfig
    from finetune.train.hosted.prices import training_price

    price = training_price(HostedConfig(backend="openai", model=model))
    return None if price is None else round(tokens * price / 1e6, 4)


def _duration(seconds: float) -> str:
    if seconds < 90:
        return f"{seconds:.0f} s"
    return f"{seconds / 60:.0f} min" if seconds < 5400 else f"{seconds / 3600:.1f} h"
