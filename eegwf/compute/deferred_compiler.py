"""Deferred import of torch's compiler, which takes over a second and which most jobs don't use.

The optimizers of torch and torchvision (an import of timm) import `torch._dynamo` to be prepared for compiled code.
"""

import importlib
import sys
from collections.abc import Callable, Sequence
from importlib.abc import Loader, MetaPathFinder
from importlib.machinery import ModuleSpec
from types import ModuleType
from typing import Any

COMPILER, COMPILER_UTILS = "torch._dynamo", "torch._dynamo.utils"


def defer_compiler() -> None:
    """Defer the import of torch's compiler to its first use; nothing is done if it is imported already."""
    if COMPILER not in sys.modules:
        sys.modules[COMPILER] = _Deferred(COMPILER, disable=_disable, graph_break=_graph_break)
        sys.modules[COMPILER_UTILS] = _Deferred(COMPILER_UTILS, is_compile_supported=_is_compile_supported)
        sys.meta_path.insert(0, _Submodules())


class _Deferred(ModuleType):
    """Stands for a module until an attribute is used that it doesn't have; then the real one is imported."""

    def __init__(self, name: str, **functions: Callable[..., Any]):
        super().__init__(name)
        self.__path__: list[str] = []  # of a package
        self.__spec__ = ModuleSpec(name, None, is_package=True)
        self.__dict__.update(functions)

    def __getattr__(self, name: str) -> Any:
        if name.startswith("__"):
            raise AttributeError(name)
        return getattr(_import_module(self.__name__), name)


class _Submodules(MetaPathFinder, Loader):
    """Imports the real compiler if one of its other submodules is imported."""

    def find_spec(
        self, fullname: str, path: Sequence[str] | None, target: ModuleType | None = None
    ) -> ModuleSpec | None:
        if not fullname.startswith(f"{COMPILER}."):
            return None
        self._spec = _import_module(fullname).__spec__
        return ModuleSpec(fullname, self)

    def create_module(self, spec: ModuleSpec) -> ModuleType:
        return sys.modules[spec.name]

    def exec_module(self, module: ModuleType) -> None:
        """Keep the module, which is imported already, and its specification."""
        module.__spec__ = self._spec


def _import_module(name: str) -> ModuleType:
    """Import the compiler or a submodule of it in place of the modules that stand for it."""
    for module in (COMPILER, COMPILER_UTILS):
        if isinstance(sys.modules.get(module), _Deferred):
            del sys.modules[module]
    sys.meta_path[:] = [finder for finder in sys.meta_path if not isinstance(finder, _Submodules)]
    return importlib.import_module(name)


def _disable(fn: Callable[..., Any] | None = None, *_arguments: Any, **_options: Any) -> Callable[..., Any]:
    """Exclude a function from compilation: nothing to do, since at most a network is compiled, which calls none."""
    return fn or _disable


def _graph_break(*_arguments: Any, **_options: Any) -> None:
    """Interrupt a compiled graph: nothing to do in code that is not compiled."""


def _is_compile_supported(device_type: str) -> bool:
    """Whether a device can run compiled code, which the real function knows."""
    return _import_module(COMPILER_UTILS).is_compile_supported(device_type)
