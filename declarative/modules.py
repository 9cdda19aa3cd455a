"""The Python modules beside a document, loaded under private names.

Every root folder becomes a private package, so two projects may both have a `tools.py`. Modules
import each other relatively, or, while they are being loaded, by their plain names; both lead to
the same private module. A module that changed on disk is loaded again.
"""

import hashlib
import importlib
import re
import sys
import threading
from collections.abc import Generator, Iterator, Sequence
from contextlib import contextmanager
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from pathlib import Path
from types import ModuleType

__all__ = ["ModuleFolder", "public_name"]

_PREFIX = "_wikiswarm_"
_PRIVATE = re.compile(rf"\b{_PREFIX}[0-9a-f]{{12}}\.")
_lock = threading.RLock()
"""Loading changes `sys.modules` and `sys.meta_path`, which all threads share."""

_stamps: dict[str, tuple[int, int]] = {}
"""Time and size of the file that each private module was loaded from."""


def public_name(text: str) -> str:
    """Return a text with private module names as the user wrote them."""
    return _PRIVATE.sub("", text)


class ModuleFolder:
    """A folder whose modules can be loaded by name."""

    def __init__(self, root: Path) -> None:
        self.root = root.resolve()
        self._package = _PREFIX + hashlib.sha256(str(self.root).encode()).hexdigest()[:12]

    def file_of(self, name: str) -> Path | None:
        """Return the file of a dotted name, or None when there is none inside the folder."""
        place = self.root.joinpath(*name.split("."))
        for path in (place.with_name(f"{place.name}.py"), place / "__init__.py"):
            if path.is_file() and path.resolve().is_relative_to(self.root):
                return path
        return None

    def holds(self, name: str) -> bool:
        """Whether the folder has a module, or a folder of modules, of a dotted name."""
        place = self.root.joinpath(*name.split("."))
        is_folder = place.is_dir() and place.resolve().is_relative_to(self.root)
        return is_folder or self.file_of(name) is not None

    def private_name(self, name: str) -> str:
        """Return the name under which a module is in `sys.modules`."""
        return f"{self._package}.{name}"

    def load(self, name: str) -> ModuleType:
        """Return the module of a dotted name; whatever its code raises comes through."""
        with _lock, self._siblings():
            if self._package not in sys.modules:
                package = ModuleType(self._package, "The modules of one project.")
                package.__path__ = [str(self.root)]
                sys.modules[self._package] = package
            self._forget_changed()
            module = importlib.import_module(self.private_name(name))
            # What the journal calls it; the private name depends on where the folder lies.
            vars(module).setdefault("__public_name__", name)
            self._stamp()
            return module

    def names(self) -> list[str]:
        """Return the modules directly in the folder."""
        return sorted(path.stem for path in self.root.glob("*.py") if path.stem.isidentifier())

    def _loaded(self) -> Iterator[tuple[str, Path]]:
        for name, module in list(sys.modules.items()):
            file = getattr(module, "__file__", None)
            if name.startswith(f"{self._package}.") and isinstance(file, str):
                yield name, Path(file)

    def _stamp(self) -> None:
        for name, file in self._loaded():
            if name not in _stamps and file.is_file():
                _stamps[name] = _stamp_of(file)

    def _forget_changed(self) -> None:
        """Drop every module when one of them changed, for they may have taken names from it."""
        importlib.invalidate_caches()
        loaded = list(self._loaded())
        if all(file.is_file() and _stamps.get(name) == _stamp_of(file) for name, file in loaded):
            return
        for name, _ in loaded:
            del sys.modules[name]
            _stamps.pop(name, None)

    @contextmanager
    def _siblings(self) -> Generator[None]:
        finder = _SiblingFinder(self)
        sys.meta_path.insert(0, finder)
        try:
            yield
        finally:
            sys.meta_path.remove(finder)
            for name in finder.served:
                sys.modules.pop(name, None)


def _stamp_of(file: Path) -> tuple[int, int]:
    status = file.stat()
    return status.st_mtime_ns, status.st_size


class _SiblingFinder(MetaPathFinder):
    """Finds the folder's modules by their plain names, after everything that is installed."""

    def __init__(self, folder: ModuleFolder) -> None:
        self.served: set[str] = set()
        self._folder = folder

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        head = fullname.partition(".")[0]
        if head not in self.served and (path is not None or self._is_elsewhere(fullname)):
            return None
        if not self._folder.holds(fullname):
            return None
        self.served.add(fullname)
        return ModuleSpec(fullname, _SameModule(self._folder.private_name(fullname)))

    def _is_elsewhere(self, name: str) -> bool:
        return any(
            finder is not self and finder.find_spec(name, None) is not None
            for finder in sys.meta_path
        )


class _SameModule(Loader):
    """Gives the private module to whoever imports its plain name."""

    def __init__(self, private_name: str) -> None:
        self._private_name = private_name
        self._spec: ModuleSpec | None = None

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        module = importlib.import_module(self._private_name)
        self._spec = module.__spec__
        return module

    def exec_module(self, module: ModuleType) -> None:
        """Give the module its own spec back; it runs, or ran, under its private name."""
        module.__spec__ = self._spec
