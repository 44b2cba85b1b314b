"""Energy from counters in files, as the kernel provides them; on a GPU, from NVML."""

import subprocess
import sys
import threading
import time

import pytest
import torch

from eegwf.compute import energy
from eegwf.compute.energy import Energy, GpuEnergy, PackageEnergy, energy_meter

NO_GPU = "NVML has no simulator: needs an NVIDIA GPU and nvidia-ml-py"


def zone(root, number, name, microjoules, maximum=1000):
    """A zone of the kernel's powercap interface; returns its counter."""
    folder = root / f"intel-rapl:{number}"
    folder.mkdir(parents=True)
    (folder / "name").write_text(f"{name}\n")
    (folder / "max_energy_range_uj").write_text(f"{maximum}\n")
    counter = folder / "energy_uj"
    counter.write_text(f"{microjoules}\n")
    return counter


def test_energy_is_that_of_all_packages_since_the_previous_call(tmp_path):
    first, second = zone(tmp_path, "0", "package-0", 100), zone(tmp_path, "1", "package-1", 700)
    packages = PackageEnergy(tmp_path)
    first.write_text("350\n")
    second.write_text("710\n")
    assert packages.joules() == pytest.approx((250 + 10) / 1e6)
    assert packages.joules() == 0
    second.write_text("711\n")
    assert packages.joules() == pytest.approx(1e-6)


def test_a_counter_that_returned_to_0_is_continued(tmp_path):
    counter = zone(tmp_path, "0", "package-0", 900)
    packages = PackageEnergy(tmp_path)
    counter.write_text("50\n")
    packages.read()
    counter.write_text("40\n")  # once more
    assert packages.joules() == pytest.approx((150 + 990) / 1e6)


def test_parts_of_a_package_and_the_platform_that_contains_it_do_not_count(tmp_path):
    zone(tmp_path, "0", "package-0-die-0", 0)
    others = [zone(tmp_path, "0:0", "core", 0), zone(tmp_path, "0:1", "dram", 0), zone(tmp_path, "1", "psys", 0)]
    (tmp_path / "intel-rapl").mkdir()  # the control type itself has no counter
    mmio = tmp_path / "intel-rapl-mmio:0"  # the same package, by another interface
    zone(tmp_path, "9", "package-0", 0).parent.rename(mmio)
    packages = PackageEnergy(tmp_path)
    for counter in [*others, mmio / "energy_uj"]:
        counter.write_text("500\n")
    assert packages.joules() == 0
    (tmp_path / "intel-rapl:0/energy_uj").write_text("3\n")
    assert packages.joules() == pytest.approx(3e-6)


def test_without_packages_nothing_is_measured(tmp_path):
    zone(tmp_path, "0", "psys", 0)
    assert PackageEnergy(tmp_path).joules() is None
    assert PackageEnergy(tmp_path / "missing").joules() is None


def unreadable(counter):
    """Replace a counter by a folder: like a file without permission, it can't be read, but also not by root."""
    counter.unlink()
    counter.mkdir()


def test_a_package_that_cannot_be_read_makes_the_energy_unknown(tmp_path):
    zone(tmp_path, "0", "package-0", 0)
    counter = zone(tmp_path, "1", "package-1", 0)
    unreadable(counter)
    packages = PackageEnergy(tmp_path)
    assert not packages.readable and packages.joules() is None
    counter.rmdir()
    counter.write_text("8\n")
    assert packages.joules() is None, "the value at the start of this period is unknown"
    assert packages.joules() == 0


def test_only_the_period_with_an_unreadable_counter_is_unknown(tmp_path):
    counter = zone(tmp_path, "0", "package-0", 0)
    packages = PackageEnergy(tmp_path)
    unreadable(counter)
    packages.read()
    counter.rmdir()
    counter.write_text("70\n")
    assert packages.joules() is None
    counter.write_text("75\n")
    assert packages.joules() == pytest.approx(5e-6)


def test_counters_are_read_regularly_between_two_calls(tmp_path, monkeypatch):
    counter, seen = zone(tmp_path, "0", "package-0", 0), threading.Event()

    class Observed(PackageEnergy):
        def _counters(self):
            counters = super()._counters()
            if counters == [900]:
                seen.set()
            return counters

    monkeypatch.setattr(energy, "READ_INTERVAL", 0.001)
    monkeypatch.setattr(energy, "PackageEnergy", Observed)
    threads = threading.active_count()
    with energy_meter(False, tmp_path) as joules:
        for value in (900, 100):
            replacement = tmp_path / "new"
            replacement.write_text(f"{value}\n")
            replacement.rename(counter)  # at once, so that no reading finds an empty file
            assert seen.wait(20)
        # Read at these two calls only, the counter would have gone from 0 to 100.
        assert joules() == Energy(pytest.approx(1100e-6), 0.0, None)
    assert threading.active_count() == threads


def test_a_meter_without_counters_starts_no_thread(tmp_path):
    threads = threading.active_count()
    with energy_meter(False, tmp_path) as joules:
        assert threading.active_count() == threads
        assert joules() == Energy(None, 0.0, None)


def test_a_gpu_that_nvml_does_not_find_has_no_energy():
    gpu = GpuEnergy("00000000-0000-0000-0000-000000000000")
    assert gpu.joules_and_processes() == (None, None) == GpuEnergy(None).joules_and_processes()


@pytest.mark.skipif(torch.cuda.is_available(), reason="this machine has a GPU")
def test_without_a_gpu_its_energy_is_unknown_and_not_0(tmp_path):
    with energy_meter(True, tmp_path) as joules:
        assert joules() == Energy(None, None, None)


def test_a_meter_on_the_cpu_loads_neither_nvml_nor_torch():
    code = "import sys; from eegwf.compute.energy import energy_meter\nwith energy_meter(False) as joules: joules()\n"
    loaded = subprocess.run(
        [sys.executable, "-c", f"{code}print(*sys.modules)"], capture_output=True, text=True, check=True
    )
    assert not {"torch", "pynvml"} & set(loaded.stdout.split())


@pytest.mark.gpu
@pytest.mark.skipif(not torch.cuda.is_available(), reason=NO_GPU)
def test_energy_of_a_gpu_is_that_of_nvml(tmp_path):
    nvml = pytest.importorskip("pynvml", reason=NO_GPU)
    nvml.nvmlInit()
    handle = nvml.nvmlDeviceGetHandleByUUID(f"GPU-{torch.cuda.get_device_properties(0).uuid}")
    matrix = torch.randn(4096, 4096, device="cuda:0")
    before, started = nvml.nvmlDeviceGetTotalEnergyConsumption(handle), time.monotonic()
    with energy_meter(True, tmp_path) as joules:
        while time.monotonic() < started + 3:
            matrix = torch.nn.functional.normalize(matrix @ matrix)
            torch.cuda.synchronize()
        used = joules()
    after, seconds = nvml.nvmlDeviceGetTotalEnergyConsumption(handle), time.monotonic() - started
    assert used.gpu_joules == pytest.approx((after - before) / 1e3, rel=0.1)
    assert 10 < used.gpu_joules / seconds < 2000
    assert used.gpu_processes is None or used.gpu_processes >= 1


def test_a_counter_without_a_range_is_unknown(tmp_path):
    zone(tmp_path, "0", "package-0", 100, maximum=0)
    packages = PackageEnergy(tmp_path)
    assert not packages.readable and packages.joules() is None
