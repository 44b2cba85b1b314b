"""All published results of a combination are repeated."""

from pathlib import Path

from eegwf.config.paths import RunPaths
from eegwf.provenance.reproduce import targets


def test_final_models_and_external_tests_are_repeated_if_they_are_published(tmp_path):
    published, repeated = RunPaths(tmp_path / "results/vit_mel_2class"), RunPaths(Path("again/vit_mel_2class"))
    assert targets(published, repeated) == [repeated.report]
    for path in (
        published.final.description,
        published.external("siena").report,
        published.external("helsinki").report,
        published.external("unfinished").predictions,
    ):
        path.parent.mkdir(parents=True, exist_ok=True)
        path.touch()
    assert [path.as_posix() for path in targets(published, repeated)] == [
        "again/vit_mel_2class/report.html",
        "again/vit_mel_2class/final/models.json",
        "again/vit_mel_2class/external/helsinki/report.html",
        "again/vit_mel_2class/external/siena/report.html",
    ]
