"""Real firmware images, as Debian packages have them: UEFI for virtual machines (ovmf), U-Boot (u-boot-qemu)."""

from __future__ import annotations

from pathlib import Path

_WHERE = ("u-boot/qemu*/u-boot.rom", "u-boot/qemu*/u-boot.bin", "../share/OVMF/OVMF_CODE*.fd", "../share/ovmf/OVMF.fd")


def firmware_images() -> list[Path]:
    """Return what is installed of them, largest first."""
    found = {path.resolve() for pattern in _WHERE for path in Path("/usr/lib").glob(pattern)}
    return sorted(found, key=lambda path: (-path.stat().st_size, path))
