"""Copy the blueprints of the repository into the package, from where an action installs them.

usage: python scripts/copy_blueprints.py [--check]
"""

from pathlib import Path
import sys
from typing import Final

ROOT: Final = Path(__file__).resolve().parent.parent
FOLDER: Final = Path("blueprints", "automation", "carbon_meter")
SOURCE: Final = ROOT / FOLDER
PACKAGED: Final = ROOT / "custom_components" / "carbon_meter" / FOLDER


def differences() -> list[str]:
    """Return the names of the files that are not the same in both folders."""
    names = {path.name for folder in (SOURCE, PACKAGED) for path in folder.glob("*")}
    return sorted(name for name in names if _content(SOURCE / name) != _content(PACKAGED / name))


def copy() -> list[str]:
    """Make the packaged folder like the repository's; return the names of what has changed."""
    PACKAGED.mkdir(parents=True, exist_ok=True)
    changed = differences()
    for name in changed:
        content = _content(SOURCE / name)
        if content is None:
            (PACKAGED / name).unlink()
        else:
            (PACKAGED / name).write_bytes(content)
    return changed


def _content(path: Path) -> bytes | None:
    return path.read_bytes() if path.exists() else None


def main() -> None:
    """Copy, or check that nothing is to be copied."""
    if sys.argv[1:] == ["--check"]:
        if changed := differences():
            sys.exit(f"not as in {FOLDER}: {', '.join(changed)}; run scripts/copy_blueprints.py")
    elif sys.argv[1:]:
        sys.exit(__doc__)
    else:
        print("\n".join(copy()) or "nothing has changed")


if __name__ == "__main__":
    main()
