"""Electrodes of nets and caps that are at positions of the 10-20 and 10-10 systems."""

# HydroCel Geodesic Sensor Nets: the electrodes that the manufacturer gives as equivalent to the 10-20 system. The
# electrode at Cz is the reference; it is named E129 or E257 in recordings that contain it.
_HYDROCEL128 = (
    "Fp1 22 Fp2 9 F7 33 F3 24 Fz 11 F4 124 F8 122 T7 45 C3 36 Cz 129 C4 104 T8 108 P7 58 P3 52 Pz 62 P4 92 P8 96 O1 70 "
    "O2 83"
)
_HYDROCEL256 = (
    "Fp1 37 Fp2 18 F7 47 F3 36 Fz 21 F4 224 F8 2 T7 69 C3 59 Cz 257 C4 183 T8 202 P7 96 P3 87 Pz 101 P4 153 P8 170 "
    "O1 116 O2 150"
)
# BioSemi cap with 128 electrodes, A1 to D32: for the 21 electrodes of the 10-20 system without the ears, the nearest
# one on the manufacturer's sphere (MNE's templates `biosemi128` and `biosemi64`). F3, F4, P3 and P4 are 1 cm from
# theirs, all others have the same position.
_BIOSEMI128 = (
    "Fp1 C29 Fpz C17 Fp2 C16 F7 D7 F3 D4 Fz C21 F4 C4 F8 C7 T7 D23 C3 D19 Cz A1 C4 B22 T8 B26 P7 D31 P3 A7 Pz A19 "
    "P4 B4 P8 B11 O1 A15 Oz A23 O2 A28"
)
# BioSemi head caps in the order of their connectors, A1 to A32 and B1 to B32.
_BIOSEMI32 = (
    "Fp1 AF3 F7 F3 FC1 FC5 T7 C3 CP1 CP5 P7 P3 Pz PO3 O1 Oz O2 PO4 P4 P8 CP6 CP2 C4 T8 FC6 FC2 F4 F8 AF4 Fp2 Fz Cz"
)
_BIOSEMI64 = (
    "Fp1 AF7 AF3 F1 F3 F5 F7 FT7 FC5 FC3 FC1 C1 C3 C5 T7 TP7 CP5 CP3 CP1 P1 P3 P5 P7 P9 PO7 PO3 O1 Iz Oz POz Pz CPz "
    "Fpz Fp2 AF8 AF4 AFz Fz F2 F4 F6 F8 FT8 FC6 FC4 FC2 FCz Cz C2 C4 C6 T8 TP8 CP6 CP4 CP2 P2 P4 P6 P8 P10 PO8 PO4 O2"
)


def _pairs(table: str, prefix: str = "") -> dict[str, str]:
    words = table.split()
    return {f"{prefix}{electrode}": name for name, electrode in zip(words[::2], words[1::2], strict=True)}


def _biosemi(table: str) -> dict[str, str]:
    return {f"{'AB'[row // 32]}{row % 32 + 1}": name for row, name in enumerate(table.split())}


# Electrode of the 10-10 system for each electrode of a net.
NETS = {
    "hydrocel128": _pairs(_HYDROCEL128, "E"),
    "hydrocel256": _pairs(_HYDROCEL256, "E"),
    "biosemi32": _biosemi(_BIOSEMI32),
    "biosemi64": _biosemi(_BIOSEMI64),
    "biosemi128": _pairs(_BIOSEMI128),
}
