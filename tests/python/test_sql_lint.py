"""P32: SQL text is made of constants. What the check itself would miss is tried on files that break the rule."""

import pathlib
import subprocess
import sys

import pytest

ROOT = pathlib.Path(__file__).resolve().parents[2]


def check(folder):
    return subprocess.run([sys.executable, ROOT / "scripts/lib/check_sql.py", folder], capture_output=True, text=True,
                          timeout=60)


def test_no_value_is_pasted_into_sql():
    found = check(ROOT / "src")
    assert found.returncode == 0, found.stdout


@pytest.mark.parametrize("code", [
    """void f() { db.run("SELECT x FROM t WHERE a = '" + name + "'"); }""",
    """void f() { db.run(fmt::format("DELETE FROM t WHERE id = {}", id)); }""",
    """std::string f() { return std::string("SELECT 1 FROM ") + table; }""",
    """void f() { db.run(std::string(kColumns) + "WHERE x = " + std::to_string(n)); }""",
    """void f() { db.all(select_round("WHERE id = " + id), row); }""",
    """void f() { db.all(select_round(rest_of(name)), row); }""",
])
def test_a_pasted_value_is_found(tmp_path, code):
    (tmp_path / "a.cc").write_text(code)
    found = check(tmp_path)
    assert found.returncode == 1
    assert "a.cc:1" in found.stdout


@pytest.mark.parametrize("code", [
    """void f() { db.run(std::string(kColumns) + " FROM t WHERE x = ?", value); }""",
    """void f() { db.run("UPDATE t SET n = n + 1 WHERE id = ?", "name " + text); }""",
    """void f() { log(fmt::format("{} rows", n)); db.all(select_round("ORDER BY id"), row); }""",
])
def test_constants_and_bound_values_are_right(tmp_path, code):
    (tmp_path / "a.cc").write_text(code)
    assert check(tmp_path).returncode == 0
