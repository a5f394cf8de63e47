"""Imports plugins: from files, each with the folder it lies in, and by the names of modules.

A plugin's folder is searched after everything that is installed, so no file beside a plugin can
take the place of a module of the standard library. Where the folders of two plugins have a module
of the same name, each plugin gets its own as long as it imports it at the top of its file.
"""

import hashlib
import importlib
import importlib.util
import signal
import sys
import threading
import traceback
from collections.abc import Iterator
from contextlib import contextmanager
from logging import getLogger
from pathlib import Path
from types import ModuleType
from typing import Any, Final, NoReturn

from tickwire._escape import printable
from tickwire._reason import what_is_there
from tickwire.errors import PluginError

KEPT_SIGNALS: Final = (signal.SIGTERM, signal.SIGINT, signal.SIGHUP)
"""Signals that belong to the program. What a plugin does with their handlers at import is
undone."""

_PREFIX: Final = "_tickwire_plugin_"

_folders: set[Path] = set()
"""The folders that `import_file` added to `sys.path`."""


def import_file(path: Path) -> ModuleType:
    """Imports a plugin's file, or a folder with an ``__init__.py``. Raises `PluginError`."""
    file = path / "__init__.py" if path.is_dir() else path
    if not file.is_file():
        raise PluginError(f"{file}: {what_is_there(file)}", field="plugins.files")
    file = file.resolve()
    package = file.parent if (file.parent / "__init__.py").is_file() else None
    while package and (package.parent / "__init__.py").is_file():
        package = package.parent
    with _searched((package or file).parent):
        if package is None:
            return _execute(_key(file), file, None)
        top = _key(package)
        module = _execute(top, package / "__init__.py", package)
        inner = list(file.relative_to(package).with_suffix("").parts)
        if inner[-1] == "__init__":
            del inner[-1]
        return import_name(".".join([top, *inner]), file) if inner else module


def import_name(dotted: str, shown: object = None) -> ModuleType:
    """Imports a module by its name. Raises `PluginError` with the place of the fault."""
    try:
        with signals_kept(dotted.rpartition(".")[2]):
            return importlib.import_module(dotted)
    except BaseException as e:
        raise_from(e, str(shown or _origin(dotted)))


def exists(dotted: str) -> bool:
    """Whether a module of this name can be found."""
    try:
        return importlib.util.find_spec(dotted) is not None
    except (ImportError, ValueError):
        return False


@contextmanager
def signals_kept(name: str) -> Iterator[None]:
    """Undoes what the import of plugin `name` does to the handlers of `KEPT_SIGNALS`."""
    if threading.current_thread() is not threading.main_thread():
        yield  # Python lets no other thread set a handler
        return
    before = {number: signal.getsignal(number) for number in KEPT_SIGNALS}
    mask = signal.pthread_sigmask(signal.SIG_BLOCK, ())
    wakeup = signal.set_wakeup_fd(-1)
    signal.set_wakeup_fd(wakeup)
    try:
        yield
    finally:
        taken = [n for n, handler in before.items() if signal.getsignal(n) is not handler]
        for number, handler in before.items():
            # An extension may have changed one without Python knowing it.
            if callable(handler) or (number in taken and handler is not None):
                signal.signal(number, handler)
        signal.pthread_sigmask(signal.SIG_SETMASK, mask)
        signal.set_wakeup_fd(wakeup)
        if taken:
            names = ", ".join(signal.Signals(number).name for number in taken)
            getLogger(f"tickwire.plugins.{name}").warning(
                "its import sets handlers of %s; the program keeps the ones it had", names
            )


def _key(file: Path) -> str:
    """Returns a name for `sys.modules` that no other file has."""
    tail = hashlib.sha256(str(file).encode()).hexdigest()[:12]
    return f"{_PREFIX}{file.stem}_{tail}"


def _execute(key: str, file: Path, package: Path | None) -> ModuleType:
    search = [str(package)] if package else None
    spec = importlib.util.spec_from_file_location(key, file, submodule_search_locations=search)
    if spec is None or spec.loader is None:
        raise PluginError(f"{file}: not a Python file", field="plugins.files")
    module = importlib.util.module_from_spec(spec)
    sys.modules[key] = module  # dataclasses and pickle look their module up
    try:
        with signals_kept(file.stem):
            spec.loader.exec_module(module)
    except BaseException as e:
        del sys.modules[key]
        raise_from(e, str(file))
    return module


@contextmanager
def _searched(folder: Path) -> Iterator[None]:
    """Lets modules of `folder` be imported and, in the meantime, those of no other plugin's
    folder."""
    others = _folders - {folder}
    if str(folder) not in sys.path:
        _folders.add(folder)
        sys.path.append(str(folder))
    hidden_paths = [str(other) for other in others if str(other) in sys.path]
    for other in hidden_paths:
        sys.path.remove(other)
    tops = {name for name, module in list(sys.modules.items()) if _home(module) in others}
    hidden = {
        name: sys.modules.pop(name)
        for name in list(sys.modules)
        if name.partition(".")[0] in tops and not name.startswith(_PREFIX)
    }
    importlib.invalidate_caches()  # the file may be newer than what was seen of its folder
    try:
        yield
    finally:
        sys.path.extend(hidden_paths)
        sys.modules.update(hidden)


def _home(module: ModuleType) -> Path | None:
    """Returns the folder in which a top-level module was found."""
    file: Any = getattr(module, "__file__", None)
    if not isinstance(file, str) or "." in getattr(module, "__name__", "."):
        return None
    path = Path(file)
    return path.parent.parent if path.stem == "__init__" else path.parent


def _origin(dotted: str) -> str:
    """Returns the module's file, or else its name."""
    try:
        spec = importlib.util.find_spec(dotted)
    except (ImportError, ValueError):
        return dotted
    return spec.origin if spec and spec.origin else dotted


def raise_from(error: BaseException, source: str, place: str = "") -> NoReturn:
    """Raises what a plugin raised while it was loaded as a `PluginError` with the file and the
    line. An interrupt by the user stays one, so that a start can be broken off.

    source: the plugin's file. place: named if the error came from no line of that file.
    """
    if isinstance(error, KeyboardInterrupt) and _may_be_of_user():
        raise error
    raise PluginError(printable(_fault(error, source, place))) from error


def _may_be_of_user() -> bool:
    """Whether a KeyboardInterrupt may come from the user: Python raises it in the main thread, with
    its own handler of SIGINT."""
    is_main = threading.current_thread() is threading.main_thread()
    return is_main and signal.getsignal(signal.SIGINT) is signal.default_int_handler


def _fault(error: BaseException, source: str, place: str) -> str:
    """Returns where in the plugin the error happened, and what it says."""
    if isinstance(error, SyntaxError) and error.filename:
        return f"{error.filename}:{error.lineno}: {type(error).__name__}: {error.msg}"
    try:
        what = f"{type(error).__name__}: {error}"
    except BaseException:  # of its own methods
        what = type(error).__name__
    frames = traceback.extract_tb(error.__traceback__)
    mine = [f for f in frames if f.filename == source]
    if not mine and not place:
        mine = [f for f in frames if "importlib" not in f.filename]
    return f"{mine[-1].filename}:{mine[-1].lineno}: {what}" if mine else f"{place}: {what}"
