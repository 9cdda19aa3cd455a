"""A pipeline: the declared steps of a curation, from YAML or the defaults.

```yaml
steps:
  - unicode
  - personal_data: {mode: redact}
  - near_duplicates: {threshold: 0.8}
```

Steps that judge rows one by one come first, those that compare rows after them, each in the
order of the file. The pipeline with the versions of its steps has a name of its own, which
enters the name of what it makes.
"""

import hashlib
import importlib
import json
from collections.abc import Mapping, Sequence
from pathlib import Path
from typing import Any, NamedTuple, cast

import yaml
from pydantic import ValidationError

from finetune.curate.step import StepConfig
from swarm.errors import DataError, suggest

__all__ = ["STEPS", "CurationError", "Pipeline", "step_config"]

STEPS: dict[str, str] = {
    "rules": "finetune.curate.rules:RulesConfig",
    "secrets": "finetune.curate.secrets:SecretsConfig",
    "unicode": "finetune.curate.unicode:UnicodeConfig",
    "personal_data": "finetune.curate.personal:PersonalData",
    "personal_data_presidio": "finetune.curate.personal:PresidioPersonalData",
    "exact_duplicates": "finetune.curate.duplicates:ExactDuplicates",
    "near_duplicates": "finetune.curate.duplicates:NearDuplicates",
    "semantic_duplicates": "finetune.curate.duplicates:SemanticDuplicates",
    "quality": "finetune.curate.quality:QualityConfig",
    "length": "finetune.curate.length:LengthConfig",
    "poison": "finetune.curate.poison:PoisonConfig",
    "triggers": "finetune.curate.poison:TriggersConfig",
    "author_cap": "finetune.curate.poison:AuthorCapConfig",
    "balance": "finetune.curate.balance:BalanceConfig",
}
"""Where the settings of each step are; loaded when a pipeline names it."""

_DEFAULT = (
    "rules",
    # Tricks with characters are seen before they are taken out, and keys before they are parted.
    "poison",
    "unicode",
    "secrets",
    "personal_data",
    "quality",
    "exact_duplicates",
    "near_duplicates",
    "semantic_duplicates",
    "triggers",
    "author_cap",
)


class CurationError(DataError):
    """A pipeline names what does not exist, or settings that a step does not take."""

    code = "curation_error"
    rpc_code = -32038

    def __init__(self, message: str, hint: str | None = None) -> None:
        self.hint = hint
        super().__init__(message)


class Pipeline(NamedTuple):
    """The steps of a curation, in order."""

    steps: tuple[StepConfig, ...]

    @classmethod
    def default(cls) -> "Pipeline":
        """Return the steps that every set should pass, with their usual settings."""
        return cls.of(_DEFAULT)

    @classmethod
    def read(cls, path: Path | str) -> "Pipeline":
        """Return the pipeline of a YAML file.

        Raises:
            CurationError: The file cannot be read, or says something else than steps; the message
                names the file and, where there is one, the line.
        """
        path = Path(path)
        try:
            root = yaml.compose(path.read_text(encoding="utf-8"), Loader=yaml.SafeLoader)
        except OSError as error:
            raise CurationError(f"{path}: {error.strerror or error}") from None
        except UnicodeDecodeError:
            raise CurationError(f"{path}: the file is not UTF-8") from None
        except (yaml.YAMLError, RecursionError) as error:
            mark = getattr(error, "problem_mark", None)
            line = f":{mark.line + 1}" if mark is not None else ""
            text = getattr(error, "problem", None) or "not YAML"
            raise CurationError(f"{path}{line}: {text}") from None
        return cls.of(*_entries(root, path))

    @classmethod
    def of(
        cls,
        steps: Sequence[str | StepConfig | Mapping[str, object]],
        places: Sequence[str] | None = None,
    ) -> "Pipeline":
        """Return the pipeline of steps by name, by name and settings, or by their settings' class.

        Args:
            steps: `"unicode"`, `{"near_duplicates": {"threshold": 0.8}}`, or a `StepConfig`.
            places: Where each stands, for errors.

        Raises:
            CurationError: A step is unknown, its settings are wrong, a step is there twice, or
                one that judges rows comes after one that compares them.
        """
        at = places or [f"steps[{number}]" for number in range(len(steps))]
        made = [_config(step, place) for step, place in zip(steps, at, strict=True)]
        comparing: StepConfig | None = None
        for number, (config, place) in enumerate(zip(made, at, strict=True)):
            if config.step_name in {one.step_name for one in made[:number]}:
                raise CurationError(f"{place}: {config.step_name} is there twice")
            if config.is_corpus_step:
                comparing = config
            elif comparing is not None:
                raise CurationError(
                    f"{place}: {config.step_name} judges rows one by one, so it comes before "
                    f"{comparing.step_name}, which compares them",
                )
        if not made:
            raise CurationError("a pipeline without steps", f"steps are: {', '.join(STEPS)}")
        return cls(tuple(made))

    @property
    def row_steps(self) -> tuple[StepConfig, ...]:
        """The steps that judge rows one by one."""
        return tuple(config for config in self.steps if not config.is_corpus_step)

    @property
    def corpus_steps(self) -> tuple[StepConfig, ...]:
        """The steps that compare rows."""
        return tuple(config for config in self.steps if config.is_corpus_step)

    def described(self) -> list[dict[str, Any]]:
        """Return name, version and all settings of each step; equal pipelines give equal lists."""
        return [
            {
                "step": config.step_name,
                "version": config.version,
                "settings": config.model_dump(mode="json"),
            }
            for config in self.steps
        ]

    def encoded(self) -> str:
        """Return the pipeline as JSON, for `decoded` in another process."""
        return json.dumps([[one["step"], one["settings"]] for one in self.described()])

    @classmethod
    def decoded(cls, text: str) -> "Pipeline":
        """Return the pipeline that `encoded` wrote."""
        return cls(
            tuple(step_config(name).model_validate(given) for name, given in json.loads(text))
        )

    @property
    def digest(self) -> str:
        """Name the pipeline: the same for the same steps, versions and settings."""
        text = json.dumps(self.described(), sort_keys=True)
        return hashlib.sha256(text.encode()).hexdigest()


def step_config(name: str) -> type[StepConfig]:
    """Return the class of a step's settings.

    Raises:
        CurationError: There is no such step.
    """
    if name not in STEPS:
        known = suggest(name, list(STEPS)) or f"steps are: {', '.join(STEPS)}"
        raise CurationError(f"there is no step {name!r}", known)
    module, _, attribute = STEPS[name].partition(":")
    found: type[StepConfig] = getattr(importlib.import_module(module), attribute)
    return found


def _config(step: str | StepConfig | Mapping[str, object], place: str) -> StepConfig:
    if isinstance(step, StepConfig):
        return step
    if isinstance(step, str):
        name, settings = step, cast("object", {})
    elif len(step) == 1:
        name, settings = next(iter(step.items()))
    else:
        raise CurationError(f"{place}: a step is a name, or one name with its settings")
    try:
        config = step_config(name)
        return config.model_validate({} if settings is None else settings)
    except CurationError as error:
        raise CurationError(f"{place}: {error}", error.hint) from None
    except ValidationError as wrong:
        detail = wrong.errors(include_url=False)[0]
        where = ".".join(map(str, (name, *detail["loc"])))
        known = list(step_config(name).model_fields)
        hint = f"settings are: {', '.join(known)}" if detail["type"] == "extra_forbidden" else None
        raise CurationError(f"{place}: {where}: {detail['msg']}", hint) from None


def _entries(
    root: yaml.Node | None, path: Path
) -> tuple[list[str | Mapping[str, object]], list[str]]:
    """Return the steps of a document, and where each stands."""
    if not isinstance(root, yaml.MappingNode):
        raise CurationError(f"{path}: a pipeline is a mapping with the key `steps`")
    found: yaml.Node | None = None
    for key, value in cast("list[tuple[yaml.Node, yaml.Node]]", root.value):
        if key.value != "steps":
            line = key.start_mark.line + 1
            raise CurationError(f"{path}:{line}: unknown key {str(key.value)[:40]!r}; use `steps`")
        found = value
    if not isinstance(found, yaml.SequenceNode):
        raise CurationError(f"{path}: `steps` is a list")
    nodes = cast("list[yaml.Node]", found.value)
    # Its annotations are partial.
    loader: Any = yaml.SafeLoader("")
    try:
        values = [loader.construct_object(node, deep=True) for node in nodes]
    except yaml.YAMLError as error:
        raise CurationError(f"{path}: {error}") from None
    places = [f"{path}:{node.start_mark.line + 1}" for node in nodes]
    for value, place in zip(values, places, strict=True):
        if not isinstance(value, str | dict):
            raise CurationError(f"{place}: a step is a name, or one name with its settings")
    return values, places
