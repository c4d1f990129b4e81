import hashlib
import re
from pathlib import Path

import pooch
import pytest
import requests

from jaxemb.data.prepare import Download, Dump, NamedSet, find, missing_file, prepare
from jaxemb.errors import InputError

URL = "https://x.org/a/one.bin"
SUMS = "https://x.org/latest/sha1sums.txt"


def write(paths, folder):
    (folder / "sub").mkdir()
    for path in paths:
        (folder / "sub" / path.name).write_bytes(path.read_bytes() + b"!")


def check(folder):
    for path in (folder / "sub").iterdir():
        if path.read_bytes() == b"bad!":
            raise InputError(f"{path}: is bad")


def named(*downloads, convert=write):
    return NamedSet(
        name="mine",
        what="bytes",
        license="free",
        source="https://x.org",
        megabytes=1,
        files=("sub/one*",),
        convert=convert,
        check=check,
        downloads=downloads,
    )


def sha256(data):
    return "sha256:" + hashlib.sha256(data).hexdigest()


def test_it_is_downloaded_once(network, tmp_path):
    network[URL] = b"one"
    mine = named(Download(URL, sha256(b"one")))
    data_dir = tmp_path / "new" / "data"
    assert find(mine, data_dir) == []
    written = prepare(mine, data_dir)
    assert written == find(mine, data_dir) == [data_dir / "sub" / "one.bin"]
    assert written[0].read_bytes() == b"one!"
    assert [path.name for path in data_dir.iterdir()] == ["sub"]
    prepare(mine, data_dir)
    assert network["asked"] == [URL]
    # What is damaged in the cache is fetched again.
    (Path(pooch.os_cache("jaxemb")) / "downloads" / "one.bin").write_bytes(b"on")
    prepare(mine, data_dir)
    assert network["asked"] == [URL, URL]


@pytest.mark.parametrize(
    ("content", "message"),
    [
        (b"another", "one.bin: cannot be downloaded: SHA256 hash of downloaded file"),
        (requests.exceptions.ConnectionError("long"), "cannot be downloaded: no connection"),
        (requests.exceptions.ReadTimeout("long"), "one.bin: cannot be downloaded: no answer"),
        (requests.exceptions.HTTPError("404 Not Found"), "cannot be downloaded: 404 Not Found"),
        (OSError(28, "No space left on device"), "cannot be downloaded: .*No space left"),
    ],
)
def test_what_cannot_be_had_is_told_with_a_way_on(network, tmp_path, content, message):
    network[URL] = content
    with pytest.raises(InputError, match=f"^{re.escape(URL[:10])}.*{message}") as caught:
        prepare(named(Download(URL, sha256(b"one"))), tmp_path / "data")
    way = "Fetch https://x.org by other means and run `jaxemb data mine --from FILE`"
    assert str(caught.value).endswith(way)
    assert not (tmp_path / "data").exists()
    assert list((Path(pooch.os_cache("jaxemb")) / "downloads").iterdir()) == []


def test_without_checksums_nothing_is_downloaded(network, tmp_path):
    with pytest.raises(InputError, match="^nobody publishes checksums of the files of mine, "):
        prepare(named(), tmp_path / "data")
    assert network["asked"] == []


def test_the_newest_dump_is_looked_up(network, tmp_path):
    sum_ = hashlib.sha1(b"one").hexdigest()
    network[SUMS] = (
        f"{'0' * 40}  w-20260102-other.bz2\n{sum_}  w-20260102-one.bz2\nbad  w-20260101-one.bz2\n"
    ).encode()
    network["https://x.org/w/20260102/w-20260102-one.bz2"] = b"one"
    dump = Dump(SUMS, re.compile(r"w-(\d{8})-one\.bz2"), "https://x.org/w/{date}")
    written = prepare(named(dump), tmp_path / "data")
    assert [path.name for path in written] == ["w-20260102-one.bz2"]
    network[SUMS] = b"<html>nothing</html>"
    with pytest.raises(InputError, match=r"sha1sums.txt: lists no file like w-\(.*--from FILE"):
        prepare(named(dump), tmp_path / "data")


def test_what_was_fetched_is_taken_without_a_network(network, tmp_path):
    (tmp_path / "one.txt").write_bytes(b"mine")
    written = prepare(named(Download(URL, None)), tmp_path / "data", [tmp_path / "one.txt"])
    assert [path.read_bytes() for path in written] == [b"mine!"]
    assert network["asked"] == []


def test_a_damaged_download_without_a_checksum_is_fetched_again(network, tmp_path):
    network[URL] = b"bad"
    mine = named(Download(URL, None))
    with pytest.raises(InputError, match="one.bin: gives no mine: "):
        prepare(mine, tmp_path / "data")
    network[URL] = b"good"
    (path,) = prepare(mine, tmp_path / "data")
    assert path.read_bytes() == b"good!"


def test_one_of_several_forms_will_do(tmp_path):
    mine = named()._replace(files=("a|b*", "c"))
    for name in ("b1", "b2"):
        (tmp_path / name).touch()
    assert find(mine, tmp_path) == []
    (tmp_path / "c").touch()
    assert [path.name for path in find(mine, tmp_path)] == ["b1", "b2", "c"]


def test_a_failure_leaves_the_old_files(tmp_path):
    data_dir = tmp_path / "data"
    for content in (b"good", b"bad"):
        (tmp_path / "one.txt").write_bytes(content)
        try:
            prepare(named(), data_dir, [tmp_path / "one.txt"])
        except InputError as error:
            message = str(error)
    assert message == f"{tmp_path / 'one.txt'}: gives no mine: sub/one.txt: is bad".replace(
        "sub/", str(Path("sub")) + "/"
    )

    def stop(paths, folder):
        write(paths, folder)
        raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        prepare(named(convert=stop), data_dir, [tmp_path / "one.txt"])
    assert [path.name for path in data_dir.iterdir()] == ["sub"]
    assert (data_dir / "sub" / "one.txt").read_bytes() == b"good!"


def test_a_missing_file_names_the_command():
    message = str(missing_file(Path("d/x.npz"), "mine", "a NumPy archive"))
    assert message == (
        "d/x.npz: no such file. `jaxemb data mine` gets it; it is expected there as a NumPy "
        "archive; data_dir or JAXEMB_DATA names the folder"
    )
