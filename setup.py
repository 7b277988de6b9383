"""Builds the thread pool, a plain shared library in C++; all else about the package is in
pyproject.toml."""

import os
import shlex
import shutil
import sys

from setuptools import Extension, setup
from setuptools.command.build_ext import build_ext

RUNTIME = "src/lamina/backends/cpu/runtime"
COMPILERS = ("g++", "clang++")


class BuildLibraries(build_ext):
    """Shared libraries that no Python imports: named alike for all versions of it."""

    def get_ext_filename(self, fullname: str) -> str:
        """`lamina.backends.cpu.runtime.lamina_openmp` -> `.../runtime/lamina_openmp.so`"""
        return os.path.join(*fullname.split(".")) + ".so"

    def build_extensions(self) -> None:
        """Say in one line what is missing, before anything is tried."""
        given = os.environ.get("CXX")
        found = next(
            (c for c in ([given] if given else COMPILERS) if shutil.which(c.split()[0])), None
        )
        if found is None:
            sys.exit(
                f"error: lamina needs a C++17 compiler for its thread pool, found no "
                f"{given or ' or '.join(COMPILERS)}: install g++ 9 or newer "
                "(Debian, Ubuntu: apt install g++), or name one in CXX"
            )
        command = shlex.split(found)
        self.compiler.set_executables(
            compiler_so=[*command, "-fPIC"],
            compiler_so_cxx=[*command, "-fPIC"],
            linker_so=[*command, "-shared"],
            linker_so_cxx=[*command, "-shared"],
        )
        super().build_extensions()


def library(name: str, *flags: str, optional: bool = False) -> Extension:
    """`RUNTIME/name.cc` as a library of its own."""
    return Extension(
        f"lamina.backends.cpu.runtime.lamina_{name}",
        [f"{RUNTIME}/{name}.cc"],
        depends=[f"{RUNTIME}/thread_pool.h", f"{RUNTIME}/ring.h"],
        extra_compile_args=["-std=c++17", "-O2", "-Wall", "-Wextra", "-pthread", *flags],
        extra_link_args=["-pthread", *flags],
        optional=optional,
    )


setup(
    cmdclass={"build_ext": BuildLibraries},
    ext_modules=[library("thread_pool"), library("openmp", "-fopenmp", optional=True)],
)
