"""What the licence of a model's base asks of whoever serves or passes on the model.

The licences are those of `finetune.train.catalogue`, a summary with a date and no legal advice.
"""

from collections.abc import Iterator
from datetime import date
from pathlib import Path
from typing import NamedTuple

from pydantic import BaseModel, ConfigDict, ValidationError

from finetune.train.catalogue import Licence, base_model, catalogue
from finetune.train.files import model_folder
from swarm.errors import DataError, UnknownNameError
from wiki import ModelVersion

__all__ = ["NOTICE_NAME", "Duties", "duties_of", "find_licence", "licence_of_run", "notice_text"]

NOTICE_NAME = "NOTICE.txt"
"""The file that tells the licence beside the weights."""

_OWN = "own"
_LONGEST_CARD = 2**20


class Duties(BaseModel):
    """What is known of a version's licence, and what it asks for."""

    model_config = ConfigDict(frozen=True, extra="forbid", use_attribute_docstrings=True)

    licence: str | None
    """The licence's name; None when nobody said which one it is."""
    url: str | None = None
    """Where its text is."""
    is_own: bool = False
    """The model was made from nothing, so nobody else's terms hold."""
    checked: date
    """The day on which the terms were last compared with the licence."""
    terms: tuple[str, ...] = ()
    """One duty each; none when the licence is not known here."""
    warnings: tuple[str, ...] = ()
    """What is missing or against the terms, each with what to do."""

    def lines(self) -> Iterator[str]:
        """Yield the licence and its terms for people to read, where they are somebody else's."""
        if self.is_own:
            return
        if self.licence is not None:
            day = f", as of {self.checked}" if self.terms else ""
            yield f"licence: {self.licence}{day}"
        for term in self.terms:
            yield f"  {term}"
        for warning in self.warnings:
            yield f"warning: {warning}"


class _RunConfig(BaseModel):
    """What tells a run folder from a model folder, whose config.json has neither."""

    base: str
    method: str


class _Card(BaseModel):
    """The front matter of a model card, as far as it is read."""

    license: str | None = None
    license_name: str | None = None


class _Known(NamedTuple):
    key: str
    licence: Licence


def duties_of(version: ModelVersion) -> Duties:
    """Return what the licence of a version asks for.

    It is the licence in its manifest, or else that of its base where the catalogue knows it.
    """
    manifest = version.manifest
    checked = catalogue().as_of
    name = manifest.licence or _licence_of_base(manifest.base_model)
    if name is None and manifest.remote is not None:
        text = f"the terms of {manifest.remote.partition('/')[0]}, which hosts it"
        return Duties(licence=text, checked=checked)
    if name is None:
        base = f"its base, {manifest.base_model}" if manifest.base_model else "its base"
        missing = (
            f"nobody said which licence {version} has from {base}; find out, then register it"
            " with one: wikiswarm package RUN --name NAME --licence LICENCE"
        )
        return Duties(licence=None, checked=checked, warnings=(missing,))
    known = _known(name)
    if known is None:
        unknown = f"the terms of {name!r} are not known here; read them before others use {version}"
        return Duties(licence=name, checked=checked, warnings=(unknown,))
    licence = known.licence
    start = licence.name_starts_with
    warnings: tuple[str, ...] = ()
    if start is not None and not version.name.lower().startswith(start.lower()):
        warnings = (
            f"the name of a model that others get has to begin with {start}, and this one is"
            f" called {version.name!r}: package it as {start.lower()}-{version.name}",
        )
    return Duties(
        licence=licence.name,
        url=licence.url,
        is_own=known.key == _OWN,
        checked=checked,
        terms=licence.terms,
        warnings=warnings,
    )


def find_licence(name: str) -> str:
    """Return the catalogue's key of a licence by any of its spellings, or the name as it is."""
    known = _known(name)
    return name if known is None else known.key


def licence_of_run(run_dir: Path) -> str | None:
    """Return the licence of what a training run, or a model's folder, goes back to; or None.

    A model made from nothing is `own`. A run that went on from another run has that one's. For a
    folder with a downloaded model it is what the front matter of its README.md says.
    """
    folder, seen = _run_of(run_dir), set[Path]()
    while folder not in seen:
        seen.add(folder)
        config = _config(folder)
        if config is None:
            return _licence_of_card(folder)
        if config.base == "scratch":
            return _OWN
        folder = _run_of(Path(config.base))
    return None


def notice_text(model: str, licence: str | None) -> str | None:
    """Return what the notice beside a model's weights says; None where no licence asks for one.

    Args:
        model: What the model is called.
        licence: The licence, by any of its spellings.
    """
    known = None if licence is None else _known(licence)
    if known is None or known.key == _OWN:
        return None
    found = known.licence
    required = [line for line in (found.attribution, found.notice) if line is not None]
    lines = [
        f"{model} was made by further training of a model under the {found.name}.",
        *([f"Its text: {found.url}"] if found.url else []),
        *required,
        "",
        f"What the licence asks for, in short, as of {catalogue().as_of} (no legal advice):",
        *(f"- {term}" for term in found.terms),
    ]
    return "\n".join(lines) + "\n"


def _known(name: str) -> _Known | None:
    wanted = name.strip().lower()
    for key, licence in catalogue().licences.items():
        if wanted in (key, licence.name.lower(), *licence.spellings):
            return _Known(key, licence)
    return None


def _licence_of_base(base: str | None) -> str | None:
    if base is None:
        return None
    if base.partition("/")[0] == "scratch":
        return _OWN
    try:
        return base_model(base).licence
    except UnknownNameError:
        return None


def _run_of(folder: Path) -> Path:
    """Return a run by its folder, or by that of the model inside it."""
    is_inside = folder.name == "model" and _config(folder.parent) is not None
    return folder.parent if is_inside else folder


def _config(folder: Path) -> _RunConfig | None:
    """Return the settings of a run folder; None for a folder that is no run."""
    try:
        return _RunConfig.model_validate_json((folder / "config.json").read_bytes())
    except (OSError, ValidationError):
        return None


def _licence_of_card(folder: Path) -> str | None:
    """Return the licence in the front matter of a model card, by the catalogue's key."""
    import yaml

    try:
        card = model_folder(folder) / "README.md"
        with card.open(encoding="utf-8", errors="replace") as stream:
            start, _, rest = stream.read(_LONGEST_CARD).partition("---\n")
        if start.strip():
            return None
        front = _Card.model_validate(yaml.safe_load(rest.partition("\n---")[0]))
    except (OSError, DataError, ValueError, RecursionError, yaml.YAMLError):
        # A card that cannot be read says nothing; ValueError is what strange dates raise.
        return None
    # A card says `other` when the licence's own name is in the second field.
    name = front.license_name if front.license in (None, "other") else front.license
    return None if name is None else find_licence(name)
