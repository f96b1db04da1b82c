"""Packages unpacked aside: merged /usr, whole or not at all, and never without a signature."""

import subprocess
from pathlib import Path

import pytest

from router.firstrun import debian
from router.firstrun.debian import Prefix, Wanted
from router.firstrun.debian_sources import DebianError, Source

WANTED = Wanted(name="tool", packages=("tool",), suites=("forky",))


def package(folder: Path, name: str, files: dict[str, str]) -> Path:
    """A real .deb with these files."""
    tree = folder / name
    (tree / "DEBIAN").mkdir(parents=True)
    (tree / "DEBIAN/control").write_text(
        f"Package: {name}\nVersion: 1:2.0\nArchitecture: all\n"
        "Maintainer: Nobody <nobody@example.org>\nDescription: a test\n"
    )
    for path, text in files.items():
        (tree / path).parent.mkdir(parents=True, exist_ok=True)
        (tree / path).write_text(text)
    deb = folder / f"{name}_1%3a2.0_all.deb"
    subprocess.run(
        ["dpkg-deb", "--root-owner-group", "--build", tree, deb], check=True, capture_output=True
    )
    return deb


def test_old_and_merged_layouts_end_in_one_tree_without_manuals(tmp_path: Path) -> None:
    debs = [
        package(tmp_path, "old", {"lib/x/a.so": "a", "usr/share/doc/old/readme": "no"}),
        package(tmp_path, "new", {"usr/lib/x/b.so": "b", "usr/share/man/man1/new.1": "no"}),
    ]
    root = tmp_path / "root"
    debian._unpack(debs, root)
    files = {str(p.relative_to(root)) for p in root.rglob("*") if p.is_file()}
    assert files == {"usr/lib/x/a.so", "usr/lib/x/b.so"}
    assert (root / "lib/x/b.so").read_text() == "b"


def test_damaged_package_is_refused(tmp_path: Path) -> None:
    deb = package(tmp_path, "tool", {"usr/bin/tool": "x"})
    deb.write_bytes(deb.read_bytes()[:-40])
    with pytest.raises(DebianError, match=r"cannot unpack tool_1%3a2\.0_all\.deb"):
        debian._unpack([deb], tmp_path / "root")


@pytest.fixture
def fetched(monkeypatch: pytest.MonkeyPatch) -> list[Path]:
    """`_fetch` without a network; the list of what it was asked to fill."""
    calls: list[Path] = []

    def fetch(fresh: Path, *_: object) -> Prefix:
        calls.append(fresh)
        (fresh / "root/usr/bin").mkdir(parents=True)
        (fresh / "apt").mkdir()
        (fresh / "root/usr/bin/tool").write_text("tool")
        return Prefix(
            root=fresh / "root", suite="forky", versions={"tool": "2"}, packages=1, fresh=True
        )

    monkeypatch.setattr(debian, "_fetch", fetch)
    return calls


def test_prefix_is_made_once(tmp_path: Path, fetched: list[Path]) -> None:
    first = debian.ensure(tmp_path / "tool", WANTED, {}, say=print)
    second = debian.ensure(tmp_path / "tool", WANTED, {}, say=print)
    assert first.fresh
    assert not second.fresh
    assert len(fetched) == 1
    assert (second.root / "usr/bin/tool").read_text() == "tool"
    assert not (tmp_path / "tool/apt").exists()


def test_interrupted_unpacking_is_done_again(tmp_path: Path, fetched: list[Path]) -> None:
    def interrupt(fresh: Path, final: Path) -> None:
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        debian.ensure(tmp_path / "tool", WANTED, {}, say=print, finish=interrupt)
    assert debian.existing(tmp_path / "tool", WANTED) is None
    assert debian.ensure(tmp_path / "tool", WANTED, {}, say=print).fresh
    assert sorted(p.name for p in tmp_path.iterdir()) == [".tool.lock", "tool"]


def test_moved_prefix_and_other_packages_do_not_fit(tmp_path: Path, fetched: list[Path]) -> None:
    debian.ensure(tmp_path / "tool", WANTED, {}, say=print)
    more = Wanted(name="tool", packages=("tool", "other"), suites=("forky",))
    other_suite = Wanted(name="tool", packages=("tool",), suites=("sid",))
    assert debian.existing(tmp_path / "tool", WANTED) is not None
    assert debian.existing(tmp_path / "tool", more) is None
    assert debian.existing(tmp_path / "tool", other_suite) is None
    (tmp_path / "tool").rename(tmp_path / "moved")
    assert debian.existing(tmp_path / "moved", WANTED) is None


def test_archive_without_a_signature_is_refused(tmp_path: Path) -> None:
    mirror = tmp_path / "mirror"
    index = mirror / "dists/forky/main/binary-all"
    index.mkdir(parents=True)
    (index / "Packages").write_text("")
    (mirror / "dists/forky/Release").write_text("Suite: forky\nCodename: forky\n")
    said: list[str] = []
    with pytest.raises(DebianError, match="not signed"):
        debian.ensure(
            tmp_path / "tool", WANTED, {"DEBIAN_MIRROR": f"file:{mirror}"}, say=said.append
        )
    assert not (tmp_path / "tool").exists()
    assert said == []


def test_expired_index_is_used_once_more_unless_forbidden(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked: list[tuple[str, ...]] = []

    def get(self: object, *arguments: str) -> None:
        asked.append(arguments)
        if "Acquire::Check-Valid-Until=false" not in arguments:
            raise DebianError("E: Release file for x is expired (invalid since 17d)")

    monkeypatch.setattr(debian._Apt, "_get", get)
    said: list[str] = []
    source = Source(uri="http://mirror.example", suite="forky", components=("main",))
    debian._Apt(tmp_path / "one", source, {}).update(said.append)
    assert len(asked) == 2
    assert len(said) == 1
    forbidding = debian._Apt(tmp_path / "two", source, {"DEBIAN_REFUSE_EXPIRED": "1"})
    with pytest.raises(DebianError, match="DEBIAN_REFUSE_EXPIRED"):
        forbidding.update(said.append)
    assert len(said) == 1
