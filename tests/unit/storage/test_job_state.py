"""State folders of unfinished jobs."""

from eegwf.storage.job_state import state_folder


def test_state_folders_differ_for_each_stage_and_identity(tmp_path):
    identity = {"classes": {"background": ["bckg"], "seizure": ["sz"]}, "lr": 0.1}
    reordered = {"classes": {"seizure": ["sz"], "background": ["bckg"]}, "lr": 0.1}
    folder = state_folder(tmp_path, "tune", identity, ["abc"])
    assert state_folder(tmp_path, "tune", identity, ["abc"]) == folder and folder.is_dir()
    others = [
        state_folder(tmp_path, "tune", reordered, ["abc"]),  # the order of the classes is the order of the outputs
        state_folder(tmp_path, "retrain", identity, ["abc"]),
        state_folder(tmp_path, "tune", identity, ["abd"]),
        state_folder(tmp_path, "tune", identity, ["abc"], None),
        state_folder(tmp_path, "tune", {**identity, "lr": 0.1 + 1e-16}, ["abc"]),
    ]
    assert len({folder, *others}) == 6
    assert all(other.parent == tmp_path for other in others)
    assert (folder / "stage").read_text() == "tune\n" and (others[1] / "stage").read_text() == "retrain\n"
