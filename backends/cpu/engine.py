"""Objects linked into this process by LLVM's ORC linker, and the addresses of their functions."""

from __future__ import annotations

import ctypes
from collections.abc import Callable, Iterable

import llvmlite.binding as llvm

from lamina.backends.cpu.thread_pool import PARALLEL, parallel_address
from lamina.errors import LaminaError


class Engine:
    """Some objects, linked; their code stays mapped as long as this object lives."""

    def __init__(self, objects: Iterable[bytes], symbols: Iterable[str]) -> None:
        llvm.initialize_native_target()
        llvm.initialize_native_asmprinter()
        # JITLink keeps an object's code and constants in one piece; LLVM's older linker may put
        # them more than the 2 GB apart that an instruction can reach, in a process with much data
        self._compiler = llvm.create_lljit_compiler(use_jit_link=True)
        builder = llvm.JITLibraryBuilder().add_current_process()
        for data in objects:
            builder.add_object_img(data)
            if PARALLEL.encode() in data:  # its table of symbols names what it calls
                builder.import_symbol(PARALLEL, parallel_address())
        self.symbols = tuple(symbols)
        for symbol in self.symbols:
            builder.export_symbol(symbol)
        try:
            self._library = builder.link(self._compiler, "kernels")
        except RuntimeError as e:
            raise LaminaError(f"cannot link the compiled objects: {str(e).strip()}") from e

    def address(self, symbol: str) -> int:
        """Where `symbol` begins; it must be one of those the engine was made for."""
        return self._library[symbol]

    def function(self, symbol: str, pointers: int) -> Callable[..., None]:
        """`symbol` as a function of this many addresses; it keeps the engine alive."""
        f = ctypes.CFUNCTYPE(None, *[ctypes.c_void_p] * pointers)(self.address(symbol))
        f.engine = self  # pyright: ignore[reportAttributeAccessIssue]
        return f
