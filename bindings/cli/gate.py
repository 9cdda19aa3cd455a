"""`gate`: may a candidate take the live model's place?"""

from pathlib import Path
from typing import Annotated

import typer

from bindings.cli.comparing import (
    JudgeOption,
    ModelArgument,
    ProbesOption,
    RatingsOption,
    ReportOption,
    SystemOption,
    compare_models,
    write_outputs,
)
from bindings.cli.options import HomeOption, JsonOption, resolve_home
from bindings.cli.output import command, done, print_json, say
from bindings.cli.questions import read_asked

__all__ = ["gate"]


@command
def gate(
    candidate: ModelArgument,
    live: Annotated[str, typer.Argument(help="The model in service.", show_default=False)],
    test: Annotated[
        Path,
        typer.Argument(
            help="SFT rows (.jsonl), or questions (.yaml), whose held-out phrasings are asked.",
            show_default=False,
        ),
    ],
    metric: Annotated[
        str,
        typer.Option(help="What must be better: exact, normalised, token_f1, rouge_l, judge ..."),
    ] = "exact",
    margin: Annotated[
        float, typer.Option(help="How much worse other figures may be.", min=0, max=1)
    ] = 0.02,
    minimum_rows: Annotated[int, typer.Option(help="Fewer questions decide nothing.", min=2)] = 50,
    confidence: Annotated[
        float,
        typer.Option(help="0.95: an equal model passes once in 20.", min=0.51, max=0.999),
    ] = 0.95,
    seed: Annotated[int, typer.Option(help="Of the resamples.", min=0)] = 0,
    judge: JudgeOption = None,
    ratings: RatingsOption = None,
    probes: ProbesOption = None,
    general: Annotated[
        bool, typer.Option(help="Ask both models general questions, for the report.")
    ] = False,
    report: ReportOption = None,
    system: SystemOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Say whether a candidate may take the live model's place; exit 0 only if it may."""
    from finetune.evaluate import CompareSettings, GateMetric, GatePolicy
    from finetune.evaluate.metrics import ROW_METRICS

    if metric != "judge" and metric not in ROW_METRICS:
        say(f"error: no figure {metric!r}; one of {', '.join([*ROW_METRICS, 'judge'])}")
        raise typer.Exit(2)
    if metric == "judge" and judge is None:
        say("error: --metric judge needs --judge MODEL")
        raise typer.Exit(2)
    other = "exact" if metric == "token_f1" else "token_f1"
    policy = GatePolicy(
        primary=GateMetric.model_validate({"metric": metric, "margin": margin}),
        others=(GateMetric.model_validate({"metric": other, "margin": margin}),),
        minimum_rows=minimum_rows,
        confidence=confidence,
        seed=seed,
    )
    folder = resolve_home(home)
    asked = read_asked(folder, data=test, held_out=test.suffix in (".yaml", ".yml"))
    settings = CompareSettings(policy=policy, judge=judge, system=system, ask_general=general)
    found = compare_models(
        candidate, live, asked, settings, home=folder, ratings=ratings, probes=probes
    )
    write_outputs(found, report=report)
    if as_json:
        print_json(found.gate)
    else:
        done(found.gate.text())
    if not found.gate.may_promote:
        raise typer.Exit(1)
