"""`evaluate`: how good a model is, alone or beside another."""

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

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
    write_predictions,
)
from bindings.cli.options import HomeOption, JsonOption, resolve_home
from bindings.cli.output import command, done, print_json, say
from bindings.cli.questions import Asked, read_asked

if TYPE_CHECKING:
    from finetune.evaluate import Comparison, EvaluationReport, JudgeReport

__all__ = ["evaluate"]


@command
def evaluate(
    model: ModelArgument,
    data: Annotated[
        Path | None,
        typer.Argument(help="Questions (.yaml) or SFT rows (.jsonl).", show_default=False),
    ] = None,
    test_set: Annotated[
        Path | None, typer.Option(help="Questions that it was not trained on, in place of DATA.")
    ] = None,
    golden: Annotated[
        str | None, typer.Option(help="A golden set of `wikiswarm golden`, in place of DATA.")
    ] = None,
    held_out: Annotated[
        bool, typer.Option(help="Ask the held-out phrasings of a questions file.")
    ] = False,
    against: Annotated[
        str | None, typer.Option(metavar="MODEL", help="Compare with the base or the live model.")
    ] = None,
    judge: JudgeOption = None,
    ratings: RatingsOption = None,
    probes: ProbesOption = None,
    report: ReportOption = None,
    predictions: Annotated[
        Path | None, typer.Option(help="Write every answer here (.jsonl).")
    ] = None,
    write_sheet: Annotated[
        Path | None, typer.Option(help="Write a sheet on which people choose (.jsonl).")
    ] = None,
    read_sheet: Annotated[
        Path | None, typer.Option(help="Read a sheet that people filled in.")
    ] = None,
    benchmarks: Annotated[
        tuple[Path, Path] | None,
        typer.Option(help="Results of `wikiswarm benchmark`: of the other model, of this one."),
    ] = None,
    general: Annotated[
        bool, typer.Option(help="With --against, ask both models general questions too.")
    ] = True,
    minimum: Annotated[
        float, typer.Option(help="Fail below this share of exact answers.", min=0, max=1)
    ] = 0.0,
    system: SystemOption = None,
    home: HomeOption = None,
    as_json: JsonOption = False,
) -> None:
    """Ask a model every question and measure its answers, alone or beside another model."""
    folder = resolve_home(home)
    asked = read_asked(folder, data=data, test_set=test_set, golden=golden, held_out=held_out)
    if against is None:
        only = {
            "--report": report,
            "--probes": probes,
            "--write-sheet": write_sheet,
            "--read-sheet": read_sheet,
            "--benchmarks": benchmarks,
        }
        for name in (name for name, value in only.items() if value is not None):
            say(f"error: {name} needs --against")
            raise typer.Exit(2)
        share = _alone(model, asked, folder, judge, ratings, system, predictions, as_json)
    else:
        from finetune.evaluate import CompareSettings

        settings = CompareSettings(
            judge=judge, system=system, sheet=read_sheet, ask_general=general
        )
        found = compare_models(
            model,
            against,
            asked,
            settings,
            home=folder,
            ratings=ratings,
            probes=probes,
            benchmarks=benchmarks,
        )
        share = found.candidate.report.accuracy
        write_outputs(found, report=report, predictions=predictions, sheet=write_sheet)
        if as_json:
            print_json(found)
        else:
            _tell(found)
    if share < minimum:
        say(f"error: {share:.1%} is below --minimum {minimum:.1%}")
        raise typer.Exit(1)


def _alone(
    model: str,
    asked: Asked,
    home: Path,
    judge: str | None,
    ratings: Path | None,
    system: str | None,
    predictions: Path | None,
    as_json: bool,
) -> float:
    import anyio

    report, judged = anyio.run(_ask, model, asked, home, judge, ratings, system)
    if predictions is not None:
        write_predictions(report.results, predictions)
    if as_json:
        print_json({**report.model_dump(mode="json"), "judge": judged})
        return report.accuracy
    for miss in report.misses:
        say(f"  {miss.question!r}: {miss.answer!r}, not {miss.expected!r}")
    done(
        f"{model}: {report.exact} of {report.rows} answers exactly right "
        f"({report.accuracy:.1%}, {report.seconds:.1f} s)"
    )
    if (found := report.metrics) is not None:
        figures = {
            "normalised": found.normalised,
            "F1 of words": found.token_f1,
            "ROUGE-L": found.rouge_l,
            "BLEU": found.bleu,
            "chrF": found.chrf,
            "loss": found.loss,
            "perplexity": found.perplexity,
        }
        done(", ".join(f"{k} {v:.3f}" for k, v in figures.items() if v is not None))
    if judged is not None:
        passed = "above" if judged.passed else "not above"
        done(f"{judged.judge} gives {judged.mean:.2f} of 5, {passed} 4.0")
    return report.accuracy


async def _ask(
    model: str,
    asked: Asked,
    home: Path,
    judge: str | None,
    ratings: Path | None,
    system: str | None,
) -> "tuple[EvaluationReport, JudgeReport | None]":
    import anyio
    import anyio.to_thread

    from bindings.cli.progress import progress_bar
    from finetune.evaluate import (
        EvaluationProgress,
        ask_model,
        calibrate,
        judge_rows,
        open_judge,
        read_ratings,
        read_results,
    )
    from finetune.evaluate.asking import system_of

    is_folder = await anyio.Path(model).is_dir()
    output = Path(model) / "evaluations" / asked.part if is_folder else home / "evaluations"
    if system is None:
        system = await anyio.to_thread.run_sync(system_of, model, home)
    with progress_bar("asking") as advance:

        def shown(report: EvaluationProgress) -> None:
            advance(report.rows, report.total_rows, "")

        report = await ask_model(
            model, asked.rows, home=home, output_dir=output, system=system, on_progress=shown
        )
    if judge is None:
        return report, None
    results = await anyio.to_thread.run_sync(read_results, report.results)
    async with open_judge(judge, home=home) as opened:
        if ratings is not None:
            await calibrate(opened, await anyio.to_thread.run_sync(read_ratings, ratings))
        with progress_bar("judging") as advance:
            return report, await judge_rows(
                opened, results, on_progress=lambda count, total: advance(count, total, "")
            )


def _tell(found: "Comparison") -> None:
    for one in found.metrics:
        done(f"{one.metric}: {one.baseline:.4f} -> {one.candidate:.4f} ({one.delta:+.4f})")
    for area in found.areas:
        done(f"{area.area}: {area.baseline:.0%} -> {area.candidate:.0%} {area.verdict}")
    done(found.gate.text())
    for sentence in found.recommendations:
        say(f"hint: {sentence}")
