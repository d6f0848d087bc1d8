"""`Datafiles` on a real file with the real watches: what a mounted datafile goes through."""

from __future__ import annotations

from pathlib import Path

from sidecar.datafiles import NamedSource
from sidecar.sources.file import FileSource, FileSourceSection
from sidecar.sources.watching import DirectoryWatches
from tests.datafiles.conftest import Serve, body_of


async def test_a_file_goes_bad_vanishes_and_comes_back_and_no_call_is_left_without_a_revision(
    serve: Serve, tmp_path: Path
) -> None:
    path = tmp_path / "datafile.json"
    path.write_bytes(body_of("1"))
    watches = DirectoryWatches()
    source = FileSource(FileSourceSection(path=path, poll_interval_s=3600.0), watches=watches)
    async with serve(NamedSource(name="default", source=source)) as datafiles:
        await datafiles.wait_first()
        watch = datafiles.watch()
        seen = [await anext(watch)]
        for step in (
            lambda: path.write_bytes(body_of("2")[:50]),
            path.unlink,
            lambda: path.write_bytes(body_of("2")),
            lambda: path.write_bytes(b""),
            lambda: path.write_bytes(body_of("2")),
        ):
            step()
            seen.append(await anext(watch))
        assert [(status.revision, status.stale) for status in seen] == [
            ("1", False),
            ("1", True),
            ("1", True),
            ("2", False),
            ("2", True),
            ("2", False),
        ]
        assert "does not exist" in seen[2].last_error
        assert "it is empty" in seen[4].last_error
    watches.close()
