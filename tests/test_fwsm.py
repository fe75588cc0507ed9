"""What `import fwsm` gives."""

from __future__ import annotations

import importlib
import subprocess
import sys

import pytest

import fwsm


@pytest.mark.parametrize("name", [name for name in fwsm.__all__ if name != "__version__"])
def test_a_public_name_is_what_its_module_has(name: str) -> None:
    """A name is the same object wherever it is imported from."""
    home = importlib.import_module(fwsm._HOME[name])
    assert getattr(fwsm, name) is getattr(home, name)
    assert name in home.__all__


def test_the_lists_of_names_agree() -> None:
    """What is promised is what can be had."""
    assert sorted(fwsm.__all__) == sorted([*fwsm._HOME, "__version__"])
    assert set(fwsm.__all__) <= set(dir(fwsm))


def test_the_version_is_that_of_the_package() -> None:
    """As the installer wrote it down."""
    assert fwsm.__version__[0].isdigit()


def test_an_unknown_name_is_an_attribute_error() -> None:
    """As with every module."""
    with pytest.raises(AttributeError, match="module 'fwsm' has no attribute 'Devise'"):
        _ = fwsm.Devise  # type: ignore[attr-defined]


def test_importing_the_package_imports_none_of_its_rooms() -> None:
    """A program pays for what it uses: neither SQLAlchemy nor the SDK come along with a name of the core."""
    code = "import fwsm, sys; fwsm.State; print(sorted({n.split('.')[0] for n in sys.modules}))"
    said = subprocess.run([sys.executable, "-c", code], check=True, capture_output=True, text=True).stdout
    for heavy in ("sqlalchemy", "azure", "transitions", "tenacity", "click"):
        assert f"'{heavy}'" not in said
