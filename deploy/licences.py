#!/usr/bin/env python3
"""Prints the licence texts of everything that is in the binary: the crates that an SBOM of CycloneDX lists.

    deploy/licences.py SBOM >THIRD-PARTY-LICENCES

A text that several crates share is printed once. The C libraries that a crate contains have their own texts below its folder.
"""

import collections
import json
import pathlib
import re
import subprocess
import sys

IS_LICENCE = re.compile(r"^(licen[cs]e|copying|copyright|notice|unlicense)([._-].*)?$", re.IGNORECASE)
# Folders below a crate in which the licence of a C library lies.
DEPTH = 3


def texts_of(folder: pathlib.Path) -> list[str]:
    """The licence files of a crate, those of the libraries inside it too."""
    found = []
    for path in sorted(folder.rglob("*")):
        inside = path.relative_to(folder)
        is_code = path.suffix in {".rs", ".c", ".h", ".py"}
        if len(inside.parts) <= DEPTH and IS_LICENCE.match(path.name) and path.is_file() and not is_code:
            found.append(path.read_text(encoding="utf-8", errors="replace").strip())
    return found


def main(sbom: str) -> None:
    """Prints all texts, and the crates that have none with the name of their licence."""
    command = ["cargo", "metadata", "--locked", "--format-version", "1"]
    metadata = json.loads(subprocess.run(command, check=True, stdout=subprocess.PIPE).stdout)
    packages = {(p["name"], p["version"]): p for p in metadata["packages"]}
    users = collections.defaultdict(set)
    without = []
    for component in json.loads(pathlib.Path(sbom).read_text(encoding="utf-8"))["components"]:
        package = packages[component["name"], component["version"]]
        name = f"{package['name']} {package['version']} ({package['license']})"
        texts = texts_of(pathlib.Path(package["manifest_path"]).parent)
        for text in texts:
            users[text].add(name)
        if not texts:
            without.append(name)
    print("wim-match contains the libraries below. Each licence text follows the names of the libraries that have it.")
    print("\nPackages without a text of their own, under the standard text of the licence that they name:")
    print("\n".join(f"  {name}" for name in sorted(without)))
    for text, names in sorted(users.items(), key=lambda item: sorted(item[1])):
        print("\n" + "-" * 100)
        print("\n".join(f"  {name}" for name in sorted(names)), end="\n\n")
        print(text)


if __name__ == "__main__":
    if len(sys.argv) != 2:
        sys.exit(__doc__)
    main(sys.argv[1])
