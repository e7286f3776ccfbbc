"""Lineage of columns, read from SQL."""

from __future__ import annotations

import pytest

from tests.docs.lineage import ITEM, Lineage


@pytest.mark.parametrize(
    ("sql", "path", "made_from"),
    [
        ("select a + b as c from t", ["c"], {("t", "a"), ("t", "b")}),
        ("select 1 as c, a from t", ["c"], set()),
        ("select a + b as s, s - d as c from t", ["c"], {("t", "a"), ("t", "b"), ("t", "d")}),
        ("select upper(a) as a, a as c from t", ["c"], {("t", "a")}),
        ("select a as c, b as a from t", ["c"], {("t", "a")}),
        ("select b as a, a.d as c from t", ["c"], {("t", "a", "d")}),
        ("with x as (select a as b, d from t) select x.b as c from x join u on u.k = x.d", ["c"], {("t", "a")}),
        ("with x as (select *, a as b from t) select b, d from x", ["d"], {("t", "d")}),
        ("select x.* replace (u.a as a) from x join u using (k)", ["a"], {("u", "a")}),
        ("select a as c from t union all select b from u", ["c"], {("t", "a")}),
        ("select o.inner.a as c from t as o", ["c"], {("t", "inner", "a")}),
        ("select list_transform(l, lambda i: i.p) as c from t", ["c"], {("t", "l", ITEM, "p")}),
        (
            "select r.v as c from t left join platform_ref__words as r on r.w = t.raw",
            ["c"],
            {("platform_ref__words", "v"), ("t", "raw")},
        ),
        (
            "with x as (select unnest(l) as i from t) select i.q as c from x",
            ["c"],
            {("t", "l", ITEM, "q")},
        ),
        (
            "select list_transform(l, lambda i: struct_pack(n := i.a, m := i.b)) as c from t",
            ["c", ITEM, "m"],
            {("t", "l", ITEM, "b")},
        ),
    ],
)
def test_a_column_is_made_from_the_columns_that_give_its_value(
    sql: str, path: list[str], made_from: set[tuple[str, ...]]
) -> None:
    assert Lineage.of(sql).column(*path) == made_from
