"""Description of a bundle as an RO-Crate (https://w3id.org/ro/crate/1.1): files, run, software and configuration."""

import hashlib
import json
from collections.abc import Mapping
from pathlib import PurePosixPath
from typing import Any

METADATA = "ro-crate-metadata.json"
SPECIFICATION = "https://w3id.org/ro/crate/1.1"
FORMATS = {
    ".json": "application/json",
    ".tsv": "text/tab-separated-values",
    ".html": "text/html",
    ".md": "text/markdown",
    ".pdf": "application/pdf",
    ".svg": "image/svg+xml",
    ".bib": "application/x-bibtex",
    ".npy": "application/octet-stream",
}
LICENSE = "The code is under the BSD 3-Clause License; the authors of the run decide on the license of its results."
CODE = "code/"


def ro_crate(name: str, record: Mapping[str, Any], files: Mapping[str, bytes]) -> bytes:
    """Describe a bundle.

    Parameters
    ----------
    name
        Name of the combination.
    record
        Content of `run.json`.
    files
        Contents of the bundle by name.

    Returns
    -------
    bytes
        JSON-LD, the content of `ro-crate-metadata.json`. Files of the code are described as one folder.
    """
    described = {path: content for path, content in sorted(files.items()) if not path.startswith(CODE)}
    parts = [{"@id": path} for path in described] + ([{"@id": CODE}] if len(described) < len(files) else [])
    software, run = _software(record), _run(name, record, described)
    entities = [
        {
            "@id": METADATA,
            "@type": "CreativeWork",
            "about": {"@id": "./"},
            "conformsTo": {"@id": SPECIFICATION},
        },
        {
            "@id": "./",
            "@type": "Dataset",
            "name": f"eegwf run {name}",
            "description": f"Results, configuration and code of the combination {name} of eegwf, without recordings.",
            "datePublished": record["finished"],
            "license": LICENSE,
            "hasPart": parts,
            "mentions": {"@id": run["@id"]},
        },
        *(_file(path, content) for path, content in described.items()),
        *([{"@id": CODE, "@type": "Dataset", "name": "Code of eegwf"}] if len(parts) > len(described) else []),
        *software,
        run,
    ]
    document = {"@context": f"{SPECIFICATION}/context", "@graph": entities}
    return (json.dumps(document, indent=1, ensure_ascii=False) + "\n").encode()


def _file(path: str, content: bytes) -> dict[str, Any]:
    return {
        "@id": path,
        "@type": "File",
        "name": PurePosixPath(path).name,
        "encodingFormat": FORMATS.get(PurePosixPath(path).suffix, "text/plain"),
        "contentSize": str(len(content)),
        "sha256": hashlib.sha256(content).hexdigest(),
    }


def _software(record: Mapping[str, Any]) -> list[dict[str, Any]]:
    """This software and the packages of `run.json`."""
    versions = {"eegwf": record["commit"] or "unknown", **record["versions"]}
    entities: list[dict[str, Any]] = [
        {"@id": f"#{name}", "@type": "SoftwareApplication", "name": name, "version": version}
        for name, version in versions.items()
    ]
    entities[0]["softwareRequirements"] = [{"@id": f"#{name}"} for name in record["versions"]]
    return entities


def _run(name: str, record: Mapping[str, Any], described: Mapping[str, bytes]) -> dict[str, Any]:
    """The run: what it read, what it wrote, and by which software."""
    folder = f"results/{name}/"
    results = [path for path in described if path.startswith(folder) and path != f"{folder}run.json"]
    return {
        "@id": "#run",
        "@type": "CreateAction",
        "name": f"Training and evaluation of {name}",
        "endTime": record["finished"],
        "instrument": {"@id": "#eegwf"},
        "object": {"@id": f"{folder}run.json"},
        "result": [{"@id": path} for path in results],
    }
