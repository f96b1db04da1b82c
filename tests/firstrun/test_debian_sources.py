"""Which archive a machine's apt configuration names as Debian's own."""

from pathlib import Path

import pytest

from router.firstrun.debian_sources import (
    DebianError,
    Source,
    archives,
    host_codename,
    machine_sources,
    read_deb822,
    read_one_line,
)

KEYRING = "/usr/share/keyrings/debian-archive-keyring.gpg"


def test_one_line_sources() -> None:
    text = """
# deb http://commented.example/debian bookworm main
deb-src http://mirror.example/debian bookworm main
deb [arch=amd64 signed-by=/a.gpg,/b.gpg] http://mirror.example/debian bookworm main contrib # x
deb http://security.example/debian-security bookworm-security main
"""
    assert list(read_one_line(text)) == [
        Source(
            uri="http://mirror.example/debian",
            suite="bookworm",
            components=("main", "contrib"),
            signed_by="/a.gpg /b.gpg",
        ),
        Source(
            uri="http://security.example/debian-security",
            suite="bookworm-security",
            components=("main",),
        ),
    ]


def test_deb822_sources_with_several_suites_and_comments() -> None:
    text = f"""Types: deb deb-src
# why this mirror
URIs: http://mirror.example/debian
Suites: bookworm bookworm-updates
Components: main
Signed-By: {KEYRING}

Types: deb
URIs: http://off.example/debian
Suites: bookworm
Components: main
Enabled: no

Types: deb-src
URIs: http://source.example/debian
Suites: bookworm
Components: main
"""
    found = list(read_deb822(text))
    assert [(s.uri, s.suite) for s in found] == [
        ("http://mirror.example/debian", "bookworm"),
        ("http://mirror.example/debian", "bookworm-updates"),
    ]
    assert {s.signed_by for s in found} == {KEYRING}


def test_deb822_key_inside_the_file() -> None:
    text = """Types: deb
URIs: http://mirror.example/debian
Suites: bookworm
Components: main
Signed-By:
 -----BEGIN PGP PUBLIC KEY BLOCK-----
 .
 mDMEY865UxYJ
 -----END PGP PUBLIC KEY BLOCK-----
"""
    (source,) = read_deb822(text)
    assert source.signed_by == (
        "-----BEGIN PGP PUBLIC KEY BLOCK-----\n\nmDMEY865UxYJ\n-----END PGP PUBLIC KEY BLOCK-----"
    )


@pytest.fixture
def apt(tmp_path: Path) -> Path:
    (tmp_path / "sources.list.d").mkdir()
    return tmp_path


def test_foreign_archives_with_debians_suite_names_come_last(apt: Path) -> None:
    (apt / "sources.list.d/a-php.list").write_text(
        "deb [signed-by=/usr/share/keyrings/php.gpg] http://php.example/ bookworm main\n"
    )
    (apt / "sources.list.d/b-docker.list").write_text(
        "deb http://docker.example/debian bookworm stable\n"
    )
    (apt / "sources.list.d/debian.sources").write_text(
        "Types: deb\nURIs: http://mirror.example/debian\nSuites: bookworm bookworm-updates\n"
        f"Components: main\nSigned-By: {KEYRING}\n"
    )
    found = archives({}, apt=apt, codename="bookworm")
    assert [s.uri for s in found] == ["http://mirror.example/debian", "http://php.example/"]


def test_cdrom_and_security_archives_are_none(apt: Path) -> None:
    (apt / "sources.list").write_text(
        "deb cdrom:[Debian 12]/ bookworm main\n"
        "deb http://security.example/debian-security bookworm-security main\n"
    )
    with pytest.raises(DebianError, match="DEBIAN_MIRROR=http"):
        archives({}, apt=apt, codename="bookworm")


def test_setting_overrides_the_machine_and_keeps_its_keyring(apt: Path) -> None:
    (apt / "sources.list").write_text(
        "deb [signed-by=/own.gpg] http://mirror.example/debian bookworm main\n"
    )
    environ = {"DEBIAN_MIRROR": "https://other.example/debian"}
    (found,) = archives(environ, apt=apt, codename="bookworm")
    assert (found.uri, found.signed_by) == ("https://other.example/debian", "/own.gpg")


def test_setting_that_is_no_address_is_refused(apt: Path) -> None:
    with pytest.raises(DebianError, match=r"DEBIAN_MIRROR='mirror\.example'.*example"):
        archives({"DEBIAN_MIRROR": "mirror.example"}, apt=apt, codename="bookworm")


def test_machine_sources_reads_every_file(apt: Path) -> None:
    (apt / "sources.list").write_text("deb http://one.example/debian bookworm main\n")
    (apt / "sources.list.d/two.list").write_text("deb http://two.example/ bookworm main\n")
    (apt / "sources.list.d/three.sources").write_text(
        "Types: deb\nURIs: http://three.example/\nSuites: bookworm\nComponents: main\n"
    )
    (apt / "sources.list.d/ignored.bak").write_text("deb http://four.example/ bookworm main\n")
    uris = [source.uri for source in machine_sources(apt)]
    assert uris == ["http://one.example/debian", "http://two.example/", "http://three.example/"]


def test_codename(tmp_path: Path) -> None:
    release = tmp_path / "os-release"
    release.write_text('ID=debian\nVERSION_CODENAME="bookworm"\n')
    assert host_codename(release) == "bookworm"
    assert host_codename(tmp_path / "absent") == ""
