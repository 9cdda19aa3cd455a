"""One round while it runs: whose it is, where it lies, and what its stages have left so far."""

from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, NamedTuple

from pydantic import JsonValue

from finetune.loop.folder import RunFolder, StageManifest
from finetune.loop.result import Outcome
from swarm.errors import DeclarationError
from swarm.reference import parse_reference
from wiki import LoopGateSpec, LoopSpec, ModelRegistry, WikiSpec
from wiki.registry.reference import parse_version_reference

__all__ = ["SEED", "Confirm", "OnProgress", "Round", "Stage", "StageOutput", "model_name"]

SEED = 7
"""Of splits and trainings; `train: {seed: ...}` sets another one for the training."""

OnProgress = Callable[[str, int, "int | None", str], None]
"""Takes the stage, what of it is done, what there is of it if that is known, and a remark."""

Confirm = Callable[[str], bool]
"""Takes what is to be promoted and why, and says whether it may be."""


class StageOutput(NamedTuple):
    """What a stage leaves."""

    values: dict[str, JsonValue]
    files: tuple[Path, ...] = ()
    """Files that a later call has to find unchanged."""
    outcome: Outcome | None = None
    """Set where the round ends here."""
    reasons: tuple[str, ...] = ()


@dataclass(slots=True)
class Round:
    """What the stages share."""

    wiki: WikiSpec
    spec: LoopSpec
    home: Path
    beside: Path
    """The folder of the document; relative paths start here."""
    store: str | None
    project: str | None
    run: RunFolder
    name: str
    until: float
    """Rows that were captured later are not seen, in seconds since 1970."""
    registry: ModelRegistry
    model: str
    """The model's name in the registry."""
    is_forced: bool
    tell: OnProgress
    confirm: Confirm | None
    base_sha256: str | None = None
    """Names the weights of the base folder."""
    manifests: dict[str, StageManifest] = field(default_factory=dict[str, StageManifest])
    """Those of the stages that are finished."""

    def output(self, stage: str, key: str) -> Any:
        """Return a value that an earlier stage left; JSON, of the kind that the stage wrote."""
        return self.manifests[stage].outputs[key]

    def path(self, *parts: str) -> Path:
        """Return a path in the round's folder."""
        return self.run.path.joinpath(*parts)

    def inside(self, name: str, what: str) -> Path:
        """Return a file that the document names; it lies where the document does, or below.

        Raises:
            DeclarationError: It leads out of the folder.
        """
        root = self.beside.resolve()
        found = (root / name).resolve()
        if not found.is_relative_to(root):
            where = f"wikis.{self.wiki.wiki_name}.loop.{what}"
            raise DeclarationError(f"{where}: {name!r} leads out of the document's folder")
        return found

    @property
    def gate(self) -> LoopGateSpec:
        """What the new version has to show."""
        return self.spec.gate or LoopGateSpec()

    @property
    def author(self) -> str:
        """Who changes aliases, in the registry's history."""
        return f"loop {self.wiki.wiki_name} {self.name}"

    @property
    def is_hosted(self) -> bool:
        """Whether a provider trains."""
        return self.spec.backend in ("openai", "cohere")

    @property
    def base_folder(self) -> Path | None:
        """The folder of the base; None for a hosted model and for one made from nothing."""
        if self.is_hosted or self.spec.base == "scratch":
            return None
        return (self.beside / self.spec.base).resolve()


class Stage(NamedTuple):
    """One stage of the table."""

    name: str
    work: Callable[[Round], Awaitable[StageOutput]]
    settings: Callable[[Round], dict[str, JsonValue]]
    """What it depends on beside the stages before it; when that changes, it is done again."""
    version: int = 1
    """Raised when the work changes, so that unfinished rounds do it anew."""


def model_name(wiki: WikiSpec) -> str:
    """Return the name that a wiki's model has in the registry: that of its reference, or its own.

    Raises:
        DeclarationError: The wiki has no model that could be trained.
    """
    if wiki.get_chat is not None:
        raise DeclarationError(
            f"wikis.{wiki.wiki_name} is answered by a function; give it `model`, such as"
            f" registry/{wiki.wiki_name}@live"
        )
    if wiki.model is not None:
        reference = parse_reference(wiki.model)
        if reference.provider == "registry":
            return parse_version_reference(reference.name).name
    return wiki.wiki_name
