"""`dataset mix`: general rows among those of a domain."""

from pathlib import Path
from typing import Annotated

import typer

from bindings.cli.options import JsonOption
from bindings.cli.output import command, counted, done, print_json

__all__ = ["mix"]


@command
def mix(
    rows: Annotated[Path, typer.Argument(help="The domain's rows.", show_default=False)],
    general: Annotated[Path, typer.Argument(help="General rows.", show_default=False)],
    output: Annotated[Path, typer.Option(help="The file to write.", show_default=False)],
    ratio: Annotated[float, typer.Option(help="The general part of the result.")] = 0.2,
    seed: Annotated[int, typer.Option(help="Decides what is drawn, and the order.")] = 0,
    as_json: JsonOption = False,
) -> None:
    """Mix general rows into those of a domain, so that a model keeps what it knew before."""
    from finetune.dataset.mix import mix_general_data
    from finetune.dataset.sample_file import read_samples
    from finetune.dataset.write import write_lines, write_rows

    own, others = list(read_samples(rows)), list(read_samples(general))
    mixed = mix_general_data(own, others, ratio=ratio, seed=seed)
    written = write_rows(output, (sample.row for sample in mixed))
    write_lines(
        output.with_name(f"{output.stem}.provenance.jsonl"),
        (sample.provenance.model_dump(mode="json") for sample in mixed),
    )
    if as_json:
        print_json({"file": written, "domain": len(own), "general": len(mixed) - len(own)})
        return
    done(f"{output}: {counted(written.rows, 'row')}, {len(mixed) - len(own)} of them general")
