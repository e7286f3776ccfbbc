"""Origins of columns, read from SQL."""

from __future__ import annotations

import pytest

from warehouse.lineage.origin import ITEM, ROWS
from warehouse.lineage.relations import branches, read_relation

KNOWN = {"t": ("a", "b", "d", "k", "l", "o", "s", "inner"), "u": ("a", "b", "k", "q"), "words": ("w", "v")}


class Tables:
    """t and u hold rows of a tenant; words is a list of words; of others nothing is known."""

    def columns(self, table: str) -> tuple[str, ...] | None:
        return KNOWN.get(table)

    def is_reference(self, table: str) -> bool:
        return table == "words"


CASES = [
    ("select a + b as c from t", ["c"], {"t.a", "t.b"}),
    ("select 1 as c, a from t", ["c"], set()),
    ("select A as c from T as x", ["C"], {"T.A"}),
    ("select a + b as total, total - d as c from t as x", ["c"], {"t.a", "t.b", "t.d"}),
    ("select upper(a) as a, a as c from t", ["c"], {"t.a"}),
    ("select a as c, b as a from t", ["c"], {"t.a"}),
    ("select b as a, t.a.d as c from t", ["c"], {"t.a.d"}),
    # names of inputs
    ("with x as (select a as b, d from t) select x.b as c from x join u on u.k = x.d", ["c"], {"t.a"}),
    ("with x as (select *, a as e from t) select e, d from x", ["d"], {"t.d"}),
    ("select q as c from t join u using (k)", ["c"], {"u.q"}),
    ("select n as c from t join v using (k)", ["c"], {"v.n"}),
    ("select c from (with x as (select a as c from t) select * from x)", ["c"], {"t.a"}),
    (
        "with x as (select a as c from t) select c from (with x as (select b as c from t) select c from x)",
        ["c"],
        {"t.b"},
    ),
    ("with x(c) as (select b from t) select c from x", ["c"], {"t.b"}),
    ("select (select max(u.b) from u where u.k = t.k) as c from t", ["c"], {"u.b"}),
    ("select exists (select 1 from u where u.k = t.k) as c from t", ["c"], {"t.k", "u.k"}),
    # stars
    ("select x.* replace (u.a as a) from t as x join u using (k)", ["a"], {"u.a"}),
    ("select * exclude (a) from t", ["b"], {"t.b"}),
    ("select * rename (a as c) from t", ["c"], {"t.a"}),
    ("from t", ["a"], {"t.a"}),
    # unions
    ("select a as c from t union all select b from u", ["c"], {"t.a", "u.b"}),
    ("select a as c, b from t union all select * from (select q as x, k as y from u)", ["b"], {"t.b", "u.k"}),
    ("select a as c from t union all by name select b, q as c from u", ["c"], {"t.a", "u.q"}),
    ("select a as c from t union all by name select b from u", ["b"], {"u.b"}),
    # objects, lists, JSON
    ("select o.inner.a as c from t", ["c"], {"t.o.inner.a"}),
    ("select o['inner'].a as c from t", ["c"], {"t.o.inner.a"}),
    ("select l[1].p as c from t", ["c"], {"t.l[].p"}),
    ("select o ->> '$.x.y[0].z' as c from t", ["c"], {"t.o.x.y[].z"}),
    ('select from_json(o, \'{"x":"VARCHAR"}\').x as c from t', ["c"], {"t.o.x"}),
    ("select list_transform(l, lambda i: i.p) as c from t", ["c"], {"t.l[].p"}),
    ("select list_filter(l, lambda i: i.p = 1)[1].q as c from t", ["c"], {"t.l[].q"}),
    (
        "select list_transform(list_transform(l, lambda i: {'n': i.a, 'm': i.b}), lambda i: i.m) as c from t",
        ["c"],
        {"t.l[].b"},
    ),
    ("select struct_pack(n := a, m := b) as c from t", ["c", "m"], {"t.b"}),
    ("with x as (select unnest(l) as i from t) select i.q as c from x", ["c"], {"t.l[].q"}),
    ("select r.i.q as c from t, unnest(t.l) as r(i)", ["c"], {"t.l[].q"}),
    ("select x.c from t, lateral (select t.a + 1 as c) as x", ["c"], {"t.a"}),
    (
        """select concat('{', concat_ws(',', '"a":' || to_json(a)::varchar, '"b":' || b), '}')::json as c from t""",
        ["c", "b"],
        {"t.b"},
    ),
    # what chooses rows gives no value, but where nothing else does
    ("select case when a > 1 then b else d end as c from t", ["c"], {"t.b", "t.d"}),
    ("select case when a > 1 then 'much' else 'little' end as c from t", ["c"], {"t.a"}),
    ("select sum(a) filter (where b) over (partition by d order by k) as c from t", ["c"], {"t.a"}),
    ("select row_number() over w as c from t window w as (partition by d order by k)", ["c"], {"t.d", "t.k"}),
    ("select arg_max(a, b) as c, list(a order by d) as e from t", ["c"], {"t.a"}),
    ("select list(a order by d) as c from t", ["c"], {"t.a"}),
    ("select count(*) as c from t", ["c"], {"t.*"}),
    ("select count(*) filter (where a = 1) as c from t", ["c"], {"t.*", "t.a"}),
    ("select x.v as c from words as x join words as y on y.w = x.w", ["c"], {"words.v", "words.w"}),
    ("select a as b, b as a from v", ["a"], {"v.b"}),
    ("select words.v as c from t left join words on words.w = t.a", ["c"], {"words.v", "t.a"}),
]


@pytest.mark.parametrize(("sql", "path", "made_from"), CASES, ids=[sql[:60] for sql, *_ in CASES])
def test_a_column_is_made_from_the_columns_that_give_its_value(sql: str, path: list[str], made_from: set[str]) -> None:
    origin = read_relation(sql, Tables()).origin(tuple(path))
    assert {".".join(each).replace(f".{ITEM}", ITEM) for each in origin.columns} == made_from
    assert not origin.ends


@pytest.mark.parametrize(
    ("sql", "end"),
    [
        ("select columns(*) from t", "columns(*)"),
        ("select c from read_parquet('x.parquet')", "the table function read_parquet"),
        ("select c from t pivot (sum(a) for b in ('x'))", "a PIVOT"),
        (
            "with recursive x as (select a as c from t union all select c from x) select c from x",
            "x, which is recursive",
        ),
        ("select nowhere as c from t", "the name nowhere, which no input has"),
        ("select x.c from t as x", "c, which t does not have"),
        ("selekt c from t as x (", "SQL that the parser does not read"),
    ],
)
def test_a_trail_that_cannot_be_followed_says_where_it_ends(sql: str, end: str) -> None:
    origin = read_relation(sql, Tables()).origin(("c",))
    assert [each for each in origin.ends if each.startswith(end)], origin.ends


def test_rows_of_a_query_are_those_of_its_first_input_or_of_the_list_it_unnests() -> None:
    joined = read_relation("select 1 from t join u using (k)", Tables()).origin((ROWS,))
    assert joined.columns == {("t", ROWS)}
    assert read_relation("select unnest(l) as i from t", Tables()).origin((ROWS,)).columns == {("t", "l", ITEM)}


def test_each_part_of_a_union_is_read_by_itself() -> None:
    parts = branches(
        read_relation("select a as c from t union all select b from u union all select q from u", Tables())
    )
    assert [set(part.origin(("c",)).columns) for part in parts] == [{("t", "a")}, {("u", "b")}, {("u", "q")}]
