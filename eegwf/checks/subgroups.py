"""Check of the subgroups: the columns of `participants.tsv`, and patients without a value."""

from collections import Counter
from collections.abc import Collection

from eegwf.checks.findings import Findings, format_names
from eegwf.dag.flow import Flow
from eegwf.data.participants import MIN_GROUP, UNKNOWN, participants_path, read_groupings
from eegwf.errors import InputError


def check_subgroups(flow: Flow, patients: Collection[str], findings: Findings) -> None:
    """Report the patients of each subgroup, and find columns that can't be read and patients without a value.

    Parameters
    ----------
    flow
        A study of recordings.
    patients
        Patients with a usable recording.
    findings
        Receives a fact for each column, warnings for patients without a value, and a problem if the table or a column
        is missing or has other content than expected.
    """
    columns = flow.study.subgroups
    if not columns:
        return
    try:
        groupings = read_groupings(participants_path(flow.root), columns, flow.study.patients)
    except InputError as error:
        findings.problems.append(str(error))
        return
    for column, grouping in groupings.items():
        sizes = Counter(grouping.of(patient) for patient in patients)
        names = [name for name in dict.fromkeys([*grouping.names, UNKNOWN]) if sizes[name]]
        listing = ", ".join(f"{name} {sizes[name]} patient{'' if sizes[name] == 1 else 's'}" for name in names)
        few = any(sizes[name] < MIN_GROUP for name in names)
        note = f"; no scores of groups of fewer than {MIN_GROUP} patients" if few else ""
        findings.facts.append(f"subgroups by {column}: {listing}{note}")
        findings.warnings += grouping.notes
        if missing := sorted(patient for patient in patients if patient not in grouping.group_of):
            findings.warnings.append(
                f"participants.tsv: no {column} of {format_names(missing)}, who are in the subgroup {UNKNOWN!r}"
            )
