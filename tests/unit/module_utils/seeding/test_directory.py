# Copyright: (c) the webinfra.stack authors
# SPDX-License-Identifier: GPL-3.0-or-later

from __future__ import annotations

import os
import typing as t

from ansible_collections.webinfra.stack.plugins.module_utils._seeding import directory

if t.TYPE_CHECKING:
    from pathlib import Path


def test_contents_are_moved_and_the_directory_stays(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    (source / "shop").mkdir(parents=True)
    (source / "shop" / "t.ibd").write_text("rows")
    (source / ".hidden").write_text("")
    directory.move_contents(str(source), str(target))
    assert sorted(os.listdir(target)) == [".hidden", "shop"]
    assert os.listdir(source) == []


def test_what_is_put_aside_in_the_directory_is_not_moved(tmp_path: Path) -> None:
    (tmp_path / "data" / directory.WORKROOM).mkdir(parents=True)
    (tmp_path / "data" / "ibdata1").write_text("")
    directory.move_contents(str(tmp_path / "data"), str(tmp_path / "data" / directory.WORKROOM / "aside"))
    assert os.listdir(tmp_path / "data") == [directory.WORKROOM]


def test_an_interrupted_move_can_be_finished(tmp_path: Path) -> None:
    source, target = tmp_path / "source", tmp_path / "target"
    source.mkdir()
    target.mkdir()
    (source / "b").write_text("")
    (target / "a").write_text("")
    directory.move_contents(str(source), str(target))
    assert sorted(os.listdir(target)) == ["a", "b"]


def test_the_workroom_is_beside_the_directory_on_the_same_file_system(tmp_path: Path) -> None:
    (tmp_path / "mysql").mkdir()
    assert directory.workroom(f"{tmp_path}/mysql/") == f"{tmp_path}/mysql.webinfra"


def test_the_workroom_is_inside_where_the_directory_is_a_file_system_of_its_own() -> None:
    assert directory.workroom("/proc") == "/proc/.webinfra"


def test_the_size_of_a_copy_leaves_logs_and_old_data_out(tmp_path: Path) -> None:
    for name in ("ibdata1", "binlog.000001", "relay.000002", "shop/t.ibd", ".webinfra/aside/ibdata1"):
        path = tmp_path / name
        path.parent.mkdir(parents=True, exist_ok=True)
        path.write_bytes(b"x" * 10)
    assert directory.data_bytes(str(tmp_path)) == 20


def test_a_place_is_made_anew(tmp_path: Path) -> None:
    place = tmp_path / "room" / "staging"
    directory.make(str(place), (os.getuid(), os.getgid()))
    (place / "left over").write_text("")
    directory.make(str(place), (os.getuid(), os.getgid()))
    assert os.listdir(place) == []
    assert place.stat().st_mode & 0o777 == 0o700


def test_the_workroom_goes_when_nothing_is_kept_in_it(tmp_path: Path) -> None:
    data = tmp_path / "mysql"
    data.mkdir()
    directory.make(directory.staging(str(data)), (os.getuid(), os.getgid()))
    directory.discard_workroom(str(data))
    assert (tmp_path / "mysql.webinfra").exists()
    directory.discard(directory.staging(str(data)))
    directory.discard_workroom(str(data))
    assert not (tmp_path / "mysql.webinfra").exists()
