"""A real SLURM of one node with two simulated GPUs, in a folder of its own.

The only change to the machine is a link in /etc/slurm while the cluster runs: Snakemake removes SLURM's environment
variables inside jobs, so that the programs of SLURM read their settings from there.
"""

import os
import shutil
import signal
import socket
import subprocess
import tempfile
from pathlib import Path

from tests.helpers.running import wait_until

LINK = Path("/etc/slurm/slurm.conf")
PROGRAMS = ("munged", "slurmctld", "slurmd", "sbatch", "squeue", "scontrol")
# /dev/null and /dev/zero are scheduled as GPUs are; nothing opens them.
SETTINGS = """\
ClusterName=eegwf
SlurmctldHost={host}(127.0.0.1)
SlurmctldPort={controller}
SlurmdPort={node}
SlurmUser=root
AuthType=auth/munge
AuthInfo=socket={folder}/munge.socket
StateSaveLocation={folder}/state
SlurmdSpoolDir={folder}/spool
SlurmctldPidFile={folder}/slurmctld.pid
SlurmdPidFile={folder}/slurmd.pid
PlugStackConfig={folder}/plugstack.conf
ProctrackType=proctrack/linuxproc
TaskPlugin=task/none
SelectType=select/cons_tres
SelectTypeParameters=CR_Core_Memory
MpiDefault=none
ReturnToService=2
SlurmdTimeout=15
MinJobAge=3600
KillWait=10
OverTimeLimit=0
SchedulerParameters=batch_sched_delay=0,sched_interval=5
SlurmdParameters=config_overrides
GresTypes=gpu
NodeName={host} NodeAddr=127.0.0.1 CPUs=16 RealMemory=64000 Gres=gpu:2 State=UNKNOWN
PartitionName=gpu Nodes={host} Default=YES MaxTime=INFINITE State=UP
"""


def missing() -> list[str]:
    """Requirements that are not met: programs, root, and a free place for the link."""
    found = [name for name in PROGRAMS if shutil.which(name, path=_path()) is None]
    found += [] if os.getuid() == 0 else ["the rights of root"]
    return found + ([f"a free place for {LINK}, which exists"] if LINK.exists() and not _stale_link() else [])


def _stale_link() -> bool:
    """Whether the link is of a test run that was killed: its cluster in a temporary folder no longer runs."""
    if not LINK.is_symlink() or not LINK.resolve().is_relative_to(Path(tempfile.gettempdir()).resolve()):
        return False
    try:
        os.kill(int((LINK.resolve().parent / "slurmctld.pid").read_text()), 0)
    except (OSError, ValueError):
        return True
    return False


def _path() -> str:
    return f"{os.environ['PATH']}:/usr/sbin:/sbin"


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return probe.getsockname()[1]


class Cluster:
    """The cluster, a context manager; processes that use it need `environment`."""

    def __init__(self, folder: Path):
        self.folder = folder
        self.environment = {**os.environ, "PATH": _path(), "SLURM_CONF": str(folder / "slurm.conf")}
        self._running: dict[str, subprocess.Popen] = {}

    def __enter__(self) -> "Cluster":
        host = socket.gethostname().partition(".")[0]
        for name in ("state", "spool"):
            (self.folder / name).mkdir()
        (self.folder / "plugstack.conf").touch()
        (self.folder / "cgroup.conf").write_text("CgroupAutomount=no\n")
        (self.folder / "gres.conf").write_text("Name=gpu Count=2 File=/dev/null,/dev/zero\n")
        settings = SETTINGS.format(host=host, folder=self.folder, controller=_free_port(), node=_free_port())
        (self.folder / "slurm.conf").write_text(settings)
        LINK.unlink(missing_ok=True)  # of a test run that was killed
        LINK.symlink_to(self.folder / "slurm.conf")
        key = self.folder / "munge.key"
        key.write_bytes(os.urandom(128))
        key.chmod(0o400)
        own = [f"--{name}={self.folder}/munge.{end}" for name, end in OWN.items()]
        self._start("munged", "--foreground", "--force", f"--key-file={key}", *own)
        self.wait_for(lambda: (self.folder / "munge.socket").exists(), "munged")
        self._start("slurmctld", "-D", "-i")
        self.start_node()
        self.wait_for(lambda: "idle" in self.call("sinfo", "--noheader", "--format=%T"), "an idle node")
        return self

    def __exit__(self, *_) -> None:
        subprocess.run(["scancel", "--user=root"], env=self.environment, check=False, capture_output=True)
        for process in reversed(self._running.values()):
            process.terminate()
        for process in self._running.values():
            try:
                process.wait(20)
            except subprocess.TimeoutExpired:
                process.kill()
        LINK.unlink(missing_ok=True)

    def start_node(self) -> None:
        """Start the node's daemon."""
        self._start("slurmd", "-D")

    def kill_node(self) -> None:
        """Kill the node's daemon with all that it started, as a machine that loses power does."""
        jobs = _descendants()
        self._running["slurmd"].kill()
        self._running["slurmd"].wait()
        for process in jobs:
            try:
                os.kill(process, signal.SIGKILL)
            except ProcessLookupError:
                continue

    def call(self, *command: str) -> str:
        """What a command of SLURM prints; empty if it fails."""
        done = subprocess.run(command, env=self.environment, capture_output=True, text=True, check=False)
        return done.stdout

    def wait_for(self, condition, what: str, seconds: float = 60) -> None:
        """Wait until a condition holds; if it never does, say what SLURM's programs told."""
        try:
            wait_until(condition, what, seconds)
        except TimeoutError as error:
            logs = "".join(f"\n{path.name}: {path.read_text()[-2000:]}" for path in self.folder.glob("*.log"))
            raise TimeoutError(f"{error}{logs}") from None

    def _start(self, *command: str) -> None:
        with open(self.folder / f"{command[0]}.log", "a") as log:
            self._running[command[0]] = subprocess.Popen(
                command, env=self.environment, stdout=log, stderr=subprocess.STDOUT, start_new_session=True
            )


OWN = {"socket": "socket", "pid-file": "pid", "log-file": "munged", "seed-file": "seed"}


def _descendants() -> list[int]:
    """Processes of `slurmstepd`, which outlive `slurmd`, and all below them."""
    parents, roots = {}, []
    for folder in Path("/proc").glob("[0-9]*"):
        try:
            status = (folder / "stat").read_text()
        except OSError:
            continue  # ended meanwhile
        name, _, rest = status.partition(") ")
        parents[int(folder.name)] = int(rest.split()[1])
        if "slurmstepd" in name:
            roots.append(int(folder.name))
    found = list(roots)
    for process in found:
        found += [child for child, parent in parents.items() if parent == process and child not in found]
    return found
