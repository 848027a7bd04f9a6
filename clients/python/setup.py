"""Generates the stubs of the contract at build time, from `proto/` of this repository, with their types."""

import pathlib
import shutil
import subprocess
import sys

from setuptools import setup
from setuptools.command.build_py import build_py

HERE = pathlib.Path(__file__).resolve().parent
REPOSITORY = HERE.parents[1]


class WithStubs(build_py):
    def run(self):
        super().run()
        import grpc_tools

        out = pathlib.Path(self.build_lib)
        protos = REPOSITORY / "proto"
        well_known = pathlib.Path(grpc_tools.__file__).parent / "_proto"
        files = sorted(str(path) for path in protos.glob("wim/**/*.proto"))
        kinds = ("python", "grpc_python", "mypy", "mypy_grpc")
        command = [sys.executable, "-m", "grpc_tools.protoc", f"-I{protos}", f"-I{well_known}"]
        subprocess.run(command + [f"--{kind}_out={out}" for kind in kinds] + files, check=True)
        for folder in {pathlib.Path(file).parent.relative_to(protos) for file in files}:
            (out / folder / "py.typed").touch()
        shutil.copy(REPOSITORY / "clients" / "service-config.json", out / "wim_match")


setup(cmdclass={"build_py": WithStubs})
