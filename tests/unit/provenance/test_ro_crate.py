"""RO-Crate metadata of a bundle: the structure that the specification requires, and true digests."""

import hashlib
import json

from eegwf.provenance.ro_crate import METADATA, ro_crate

RECORD = {"commit": "abc", "versions": {"python": "3.11", "torch": "2.11"}, "finished": "2026-01-02T03:04:05+00:00"}
FILES = {
    "results/vit_mel_2class/metrics.json": b"{}",
    "results/vit_mel_2class/run.json": b'{"a": 1}',
    "results/vit_mel_2class/paper/figures/folds.svg": b"<svg/>",
    "results/data/folds.tsv": b"patient\tfold\n",
    "code/Snakefile": b"# rules",
    "README.md": b"# run",
}


def graph(files=FILES):
    document = json.loads(ro_crate("vit_mel_2class", RECORD, files))
    assert document["@context"] == "https://w3id.org/ro/crate/1.1/context"
    entities = {entity["@id"]: entity for entity in document["@graph"]}
    assert len(entities) == len(document["@graph"])
    return entities


def test_the_descriptor_and_the_root_are_those_of_the_specification():
    entities = graph()
    descriptor, root = entities[METADATA], entities["./"]
    assert descriptor["@type"] == "CreativeWork" and descriptor["about"] == {"@id": "./"}
    assert descriptor["conformsTo"] == {"@id": "https://w3id.org/ro/crate/1.1"}
    assert root["@type"] == "Dataset" and root["datePublished"] == RECORD["finished"]
    assert all(root[name] for name in ("name", "description", "license"))


def test_every_file_is_a_part_with_its_size_and_digest():
    entities = graph()
    parts = {part["@id"] for part in entities["./"]["hasPart"]}
    described = {path for path in FILES if not path.startswith("code/")}
    assert parts == described | {"code/"} and entities["code/"]["@type"] == "Dataset"
    for path in described:
        entity = entities[path]
        assert entity["@type"] == "File" and entity["contentSize"] == str(len(FILES[path]))
        assert entity["sha256"] == hashlib.sha256(FILES[path]).hexdigest()
    assert entities["results/data/folds.tsv"]["encodingFormat"] == "text/tab-separated-values"


def test_the_run_refers_to_what_is_described():
    entities = graph()
    run = entities["#run"]
    assert run["endTime"] == RECORD["finished"] and run["object"] == {"@id": "results/vit_mel_2class/run.json"}
    assert {"@id": "results/vit_mel_2class/metrics.json"} in run["result"] and run["object"] not in run["result"]
    software = entities[run["instrument"]["@id"]]
    assert software["version"] == "abc"
    references = [*run["result"], run["object"], *software["softwareRequirements"], entities["./"]["mentions"]]
    assert all(reference["@id"] in entities for reference in references)
    assert entities["#torch"]["version"] == "2.11"


def test_a_crate_without_code_has_no_folder_of_code():
    files = {path: content for path, content in FILES.items() if not path.startswith("code/")}
    assert "code/" not in graph(files) and "code/" in graph()
