"""The model registry: a folder of immutable model versions and the aliases that point at them.

    <folder>/pharma/1/manifest.json, weights.gguf ...
    <folder>/pharma/2/...
    <folder>/pharma/aliases.json      live, previous, candidate ... and their history

No version is ever changed or removed, so whoever has looked one up can finish with it while
another one is promoted. All methods are plain functions that wait for the disk, and `register`
and `verify` read whole files: from async code, call them in `anyio.to_thread.run_sync`.
"""

from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from pathlib import Path

from pydantic import JsonValue, ValidationError

from swarm.errors import DataError, DeclarationError, UnknownNameError
from swarm.locks import folder_lock
from wiki.registry.aliases import Aliases, Promotion, read_aliases, write_aliases
from wiki.registry.checking import check_files
from wiki.registry.errors import CorruptedVersionError, NotPromotedError
from wiki.registry.intake import check_sources, store_version, weights_name
from wiki.registry.layout import check_plain_folder, store_errors, version_numbers
from wiki.registry.manifest import MANIFEST_NAME, Manifest, ModelVersion
from wiki.registry.reference import LIVE, PREVIOUS, check_name, parse_version_reference

__all__ = ["ModelRegistry"]


class ModelRegistry:
    """The model versions under one folder, which is made when the first one is registered."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def register(
        self,
        name: str,
        *,
        weights: Path | None = None,
        remote: str | None = None,
        base_model: str | None = None,
        dataset_sha256: str | None = None,
        training: Mapping[str, JsonValue] | None = None,
        metrics: Mapping[str, JsonValue] | None = None,
        licence: str | None = None,
        groups: Sequence[str] = (),
        files: Mapping[str, Path] | None = None,
        notes: Mapping[str, JsonValue] | None = None,
    ) -> ModelVersion:
        """Store a new version of a model under the next number and return it.

        Everything is copied, then appears at once, complete: no reader sees half a version, and
        of two processes that register at the same time each gets a number of its own.

        Args:
            name: The model's name.
            weights: A GGUF or safetensors file; this or `remote`.
            remote: The model reference of a model that a provider hosts.
            base_model: What the training started from.
            dataset_sha256: The hash of the frozen dataset.
            training: The settings of the training, without times and paths.
            metrics: How good it is, without times.
            licence: The licence of the weights.
            groups: The groups of workers that may load it; none for every process. See
                `wiki.groups`.
            files: Further files, such as a report, by the name they get.
            notes: Whatever differs between two equal runs; not part of the version's hash.

        Raises:
            InvalidIdError: The name may not be used.
            DataError: A file is missing or of a kind that is not kept, or a value is wrong.
            StoreError: The folder cannot be written.
        """
        check_name(name, "model")
        if (weights is None) == (remote is None):
            raise DataError(f"a version of {name!r} needs either weights or a remote model")
        sources = dict(files or {})
        if weights is not None:
            sources[weights_name(weights)] = weights
        check_sources(sources)
        home = self.folder / name
        manifest = store_version(
            home,
            {
                "name": name,
                "created_at": datetime.now(UTC),
                "weights": None if weights is None else weights_name(weights),
                "remote": remote,
                "base_model": base_model,
                "dataset_sha256": dataset_sha256,
                "training": training or {},
                "metrics": metrics or {},
                "licence": licence,
                "groups": sorted(set(groups)),
                "notes": notes or {},
            },
            sources,
        )
        return ModelVersion(manifest=manifest, path=home / str(manifest.version))

    def list(self, name: str | None = None) -> tuple[ModelVersion, ...]:
        """Return the versions of one model or of all, by name and number.

        Raises:
            UnknownNameError: There is no model of that name.
            CorruptedVersionError: A manifest or the list of aliases is damaged.
        """
        names = self._names() if name is None else (self._home(name).name,)
        return tuple(
            self._read(known, number, aliases)
            for known in names
            for aliases in [read_aliases(self.folder / known)]
            for number in version_numbers(self.folder / known)
        )

    def get(self, reference: str) -> ModelVersion:
        """Return the version that `pharma@live`, `pharma@3` or `pharma` names.

        Raises:
            UnknownNameError: There is no such model, version or alias.
            NotPromotedError: No version is live, or none was live before.
            DeclarationError: The reference cannot be read.
            CorruptedVersionError: The manifest or the list of aliases is damaged.
        """
        name, number, alias = parse_version_reference(reference)
        aliases = read_aliases(self._home(name))
        if number is None and alias is not None:
            number = aliases.aliases.get(alias)
            if number is None:
                raise self._no_alias(name, alias, aliases)
        return self._read(name, number or 0, aliases)

    def promote(
        self, name: str, version: int, *, by: str | None = None, expected: int | None = None
    ) -> Promotion:
        """Make a version live and the one that was live `previous`.

        Promoting what is live already changes nothing. A candidate that is promoted is none any
        more.

        Args:
            name: The model.
            version: The version's number.
            by: Who asks for it; by default the user of the system.
            expected: The version that has to be live before, 0 where none is: what was judged
                beside one version does not replace another.

        Raises:
            UnknownNameError: There is no such model or version.
            NotPromotedError: Another version is live than expected.
            StoreError: The folder cannot be written.
        """

        def change(aliases: Aliases) -> Aliases:
            if aliases.aliases.get(LIVE) == version:
                return aliases
            _check_live(name, expected, aliases)
            return aliases.changed(name, "promote", LIVE, version, by)

        self._read(name, version, Aliases())
        changed = self._change(name, change)
        return next(event for event in reversed(changed.history) if event.alias == LIVE)

    def rollback(
        self, name: str, *, by: str | None = None, expected: int | None = None
    ) -> Promotion:
        """Make the previous version live again, and the live one previous.

        Args:
            name: The model.
            by: Who asks for it; by default the user of the system.
            expected: The version that has to be live, so that two who go back at once do not go
                forth again.

        Raises:
            UnknownNameError: There is no such model.
            NotPromotedError: There is no previous version, or another one is live than expected.
            StoreError: The folder cannot be written.
        """

        def change(aliases: Aliases) -> Aliases:
            _check_live(name, expected, aliases)
            previous = aliases.aliases.get(PREVIOUS)
            if previous is None:
                raise self._no_alias(name, PREVIOUS, aliases)
            self._read(name, previous, aliases)
            return aliases.changed(name, "rollback", LIVE, previous, by)

        return self._change(name, change).history[-1]

    def alias(self, name: str, alias: str, version: int, *, by: str | None = None) -> Promotion:
        """Let an alias such as `candidate` stand for a version.

        Raises:
            UnknownNameError: There is no such model or version.
            DeclarationError: The alias is `live` or `previous`, which promotion sets, or a number.
            InvalidIdError: The alias may not be used.
            StoreError: The folder cannot be written.
        """
        _check_own_alias(alias)
        self._read(name, version, Aliases())

        def change(aliases: Aliases) -> Aliases:
            return aliases.changed(name, "alias", alias, version, by)

        return self._change(name, change).history[-1]

    def unalias(self, name: str, alias: str, *, by: str | None = None) -> Promotion:
        """Take an alias such as `candidate` away; the version that it stood for stays.

        Raises:
            UnknownNameError: There is no such model or alias.
            DeclarationError: The alias is `live` or `previous`, which promotion sets.
            InvalidIdError: No alias is called that.
            StoreError: The folder cannot be written.
        """
        _check_own_alias(alias)

        def change(aliases: Aliases) -> Aliases:
            if alias not in aliases.aliases:
                raise self._no_alias(name, alias, aliases)
            return aliases.without(name, alias, by)

        return self._change(name, change).history[-1]

    def history(self, name: str) -> tuple[Promotion, ...]:
        """Return how the aliases of a model changed, oldest first.

        Raises:
            UnknownNameError: There is no such model.
        """
        return read_aliases(self._home(name)).history

    def verify(self, name: str, version: int) -> ModelVersion:
        """Read every file of a version and return it when all is as it was registered.

        Raises:
            UnknownNameError: There is no such model or version.
            CorruptedVersionError: A file differs, is missing, is a link, or does not belong.
        """
        found = self._read(name, version, read_aliases(self._home(name)))
        check_files(found)
        return found

    def path_of_weights(self, reference: str) -> Path:
        """Return the file that holds the weights of a version; it is not verified here.

        Raises:
            UnknownNameError: There is no such model, version or alias.
            NotPromotedError: No version is live.
            DeclarationError: A provider hosts the model.
        """
        version = self.get(reference)
        if version.weights is None:
            raise DeclarationError(
                f"{version} is hosted as {version.remote}; it has no weights here"
            )
        return version.weights

    def _names(self) -> tuple[str, ...]:
        if not self.folder.is_dir():
            return ()
        folders = (path for path in self.folder.iterdir() if not path.is_symlink())
        return tuple(sorted(path.name for path in folders if version_numbers(path)))

    def _home(self, name: str) -> Path:
        """Return the folder of a model that exists."""
        home = self.folder / check_name(name, "model")
        if not version_numbers(home):
            raise UnknownNameError("model", name, self._names())
        check_plain_folder(home)
        return home

    def _read(self, name: str, number: int, aliases: Aliases) -> ModelVersion:
        home = self._home(name)
        path = home / str(number)
        if number not in version_numbers(home):
            known = [f"{name}@{known}" for known in version_numbers(home)]
            raise UnknownNameError("model version", f"{name}@{number}", known)
        check_plain_folder(path)
        file = path / MANIFEST_NAME
        try:
            manifest = Manifest.model_validate_json(file.read_bytes())
        except OSError as error:
            raise CorruptedVersionError(file, f"cannot be read: {error.strerror}") from None
        except ValidationError as error:
            reason = error.errors()[0]["msg"]
            raise CorruptedVersionError(file, f"is no manifest: {reason}") from None
        if (manifest.name, manifest.version) != (name, number):
            raise CorruptedVersionError(file, f"describes {manifest.name}@{manifest.version}")
        if manifest.weights not in (None, *(listed.name for listed in manifest.files)):
            raise CorruptedVersionError(file, "does not list the weights that it names")
        return ModelVersion(manifest=manifest, path=path, aliases=aliases.of(number))

    def _change(self, name: str, change: Callable[[Aliases], Aliases]) -> Aliases:
        home = self._home(name)
        with store_errors(home), folder_lock(home):
            before = read_aliases(home)
            after = change(before)
            if after is not before:
                write_aliases(home, after)
            return after

    def _no_alias(self, name: str, alias: str, aliases: Aliases) -> DeclarationError:
        if alias == LIVE:
            newest = max(version_numbers(self.folder / name))
            return NotPromotedError(
                f"no live version of {name!r}; promote one: "
                f"wikiswarm models promote {name}@{newest}"
            )
        if alias == PREVIOUS:
            return NotPromotedError(f"no version of {name!r} was live before this one")
        known = [f"{name}@{known}" for known in aliases.aliases]
        return UnknownNameError("model version", f"{name}@{alias}", known)


def _check_live(name: str, expected: int | None, aliases: Aliases) -> None:
    live = aliases.aliases.get(LIVE, 0)
    if expected is not None and live != expected:
        before, now = (f"{name}@{number}" if number else "none" for number in (expected, live))
        raise NotPromotedError(f"{now} is live, and not {before} any more")


def _check_own_alias(alias: str) -> None:
    check_name(alias, "alias")
    if alias in (LIVE, PREVIOUS) or alias.isdecimal():
        raise DeclarationError(f"{alias!r} cannot be set as an alias; promote a version instead")
