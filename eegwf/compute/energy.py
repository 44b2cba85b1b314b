"""Energy of a computation: of the processor packages by RAPL, of the GPU by NVML. Values that can't be measured are
None, and never an error.
"""

import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path
from typing import Any

POWERCAP = Path("/sys/class/powercap")
# A counter may return to 0 after 65 kJ, which a package of 1 kW consumes in about a minute.
READ_INTERVAL = 30.0


@dataclass(frozen=True)
class Energy:
    """Energy of a period.

    Attributes
    ----------
    cpu_joules
        Energy of all processor packages of the machine, without its memory, including what other jobs consumed; J.
    gpu_joules
        Energy of the whole GPU, including what other jobs consumed; J. 0 for a computation on the CPU.
    gpu_processes
        Number of processes that NVML listed as computing on the GPU, the larger one of the start and the end of the
        period. More than 1: the GPU was shared.
    """

    cpu_joules: float | None
    gpu_joules: float | None
    gpu_processes: int | None

    def times(self, share: float) -> "Energy":
        """Share of one of several trainings that this process runs at once, rounded to 1 µJ."""
        cpu, gpu = (None if value is None else round(share * value, 6) for value in (self.cpu_joules, self.gpu_joules))
        return Energy(cpu, gpu, self.gpu_processes)


@contextmanager
def energy_meter(on_gpu: bool, powercap: Path = POWERCAP) -> Iterator[Callable[[], Energy]]:
    """Measure energy.

    Parameters
    ----------
    on_gpu
        Whether torch's current CUDA device is used.
    powercap
        Folder of the energy counters of the kernel.

    Yields
    ------
    Callable
        Returns the energy since its previous call, or since the start.
    """
    packages = PackageEnergy(powercap)
    gpu = GpuEnergy(_current_uuid()) if on_gpu else None
    ended = threading.Event()

    def read_regularly() -> None:
        while not ended.wait(READ_INTERVAL):
            packages.read()

    def energy() -> Energy:
        return Energy(packages.joules(), *(gpu.joules_and_processes() if gpu else (0.0, None)))

    reader = threading.Thread(target=read_regularly, daemon=True) if packages.readable else None
    if reader:
        reader.start()
    try:
        yield energy
    finally:
        ended.set()
        if reader:
            reader.join()


class PackageEnergy:
    """Energy counters of the processor packages (RAPL), which `read` must read before they return to 0 twice.

    Only zones named `package-*` are counted: their subzones `core` and `uncore` are parts of them, and `psys` contains
    them. The package energy is also available through `intel-rapl-mmio` on some machines, which is not read.

    Parameters
    ----------
    powercap
        Folder of the energy counters of the kernel.
    """

    def __init__(self, powercap: Path = POWERCAP):
        self._lock = threading.Lock()
        self._zones: list[tuple[Path, int]] = []
        self._microjoules: int | None = 0
        try:
            for zone in sorted(powercap.glob("intel-rapl:*")):
                if (zone / "name").read_text().startswith("package"):
                    maximum = int((zone / "max_energy_range_uj").read_text())
                    if maximum <= 0:
                        raise ValueError(f"{zone}: the range is {maximum}")
                    self._zones.append((zone / "energy_uj", maximum))
        except (OSError, ValueError):
            self._zones = []
        self._last = self._counters()

    @property
    def readable(self) -> bool:
        """Whether there are packages and their counters could be read."""
        return self._last is not None

    def read(self) -> None:
        """Read the counters."""
        with self._lock:
            self._read()

    def joules(self) -> float | None:
        """Energy since the previous call, or since the start, in J; None if a counter could not be read."""
        with self._lock:
            self._read()
            microjoules, self._microjoules = self._microjoules, 0
        return None if microjoules is None else microjoules / 1e6

    def _read(self) -> None:
        counters = self._counters()
        if self._microjoules is not None and self._last is not None and counters is not None:
            pairs = zip(self._zones, self._last, counters, strict=True)
            self._microjoules += sum((after - before) % maximum for (_, maximum), before, after in pairs)
        else:
            self._microjoules = None
        self._last = counters

    def _counters(self) -> list[int] | None:
        """Values of the counters in microjoules; None if there are none, or one can't be read."""
        try:
            return [int(path.read_text()) for path, _ in self._zones] or None
        except (OSError, ValueError):
            return None


class GpuEnergy:
    """Energy counter of a GPU and number of processes that compute on it (NVML).

    Parameters
    ----------
    uuid
        UUID of the GPU, as torch returns it; None if it is unknown, so that nothing is measured.
    """

    def __init__(self, uuid: str | None):
        self._gpu = _open_gpu(uuid) if uuid else None
        self._last = self._read()

    def joules_and_processes(self) -> tuple[float | None, int | None]:
        """Energy since the previous call in J, and the number of processes as in `Energy`; None if unknown."""
        before, after = self._last, self._read()
        self._last = after
        joules = None if before[0] is None or after[0] is None else (after[0] - before[0]) / 1e3
        # A list without any process does not contain this one either: in a container, NVML may not see the others.
        return joules, max(before[1] or 0, after[1] or 0) or None

    def _read(self) -> tuple[int | None, int | None]:
        """Energy since the driver was loaded in mJ, and number of processes; None if unknown."""
        if self._gpu is None:
            return None, None
        nvml, handle = self._gpu

        def value(function: Callable[[Any], Any]) -> Any:
            try:
                return function(handle)
            except nvml.NVMLError:
                return None

        processes = value(nvml.nvmlDeviceGetComputeRunningProcesses)
        return value(nvml.nvmlDeviceGetTotalEnergyConsumption), None if processes is None else len(processes)


@cache
def _open_gpu(uuid: str) -> tuple[Any, Any] | None:
    """NVML and its handle of a GPU; None without the library, without the GPU, or if the GPU is divided (MIG)."""
    try:
        import pynvml as nvml
    except ImportError:
        return None
    try:
        nvml.nvmlInit()
        handle = nvml.nvmlDeviceGetHandleByUUID(f"GPU-{uuid}")
    except nvml.NVMLError:
        return None
    try:
        return None if nvml.nvmlDeviceGetMigMode(handle)[0] else (nvml, handle)
    except nvml.NVMLError:  # not supported by this GPU
        return nvml, handle


@cache
def _current_uuid() -> str | None:
    """UUID of torch's current CUDA device; None if torch sees none."""
    import torch

    if not torch.cuda.is_available():
        return None
    # Starts to use the GPU, so that this process is among those that compute on it.
    torch.cuda.synchronize()
    return str(torch.cuda.get_device_properties(torch.cuda.current_device()).uuid)
