"""Lines that a change made too long are broken as Ruff breaks them."""

from __future__ import annotations

import pytest

from capsule_lint.lines import unit_of
from capsule_lint.rewrite.layout import wrapped

LINES = """\
def rooms(self, tenant, capsule): return self.table.get(tenant, capsule)
>>>
def rooms(self, tenant, capsule):
    return self.table.get(tenant, capsule)

assert repo.rooms_of_it("tenant", capsule(), "identity") == {"a": 1, "b": 2}
>>>
assert repo.rooms_of_it("tenant", capsule(), "identity") == {
    "a": 1,
    "b": 2,
}

assert repo.rooms_of_it("tenant", capsule(), "identity") == other_function()
>>>
assert (
    repo.rooms_of_it("tenant", capsule(), "identity")
    == other_function()
)

x, y = repo.rooms_of_it("tenant", capsule(), "id"), repo.get("t", capsule())
>>>
x, y = (
    repo.rooms_of_it("tenant", capsule(), "id"),
    repo.get("t", capsule()),
)

value = repo.get("t", c()) if one_is_none else repo.rooms_of_it("t", capsule(), "id")
>>>
value = (
    repo.get("t", c())
    if one_is_none
    else repo.rooms_of_it("t", capsule(), "id")
)

return repo.rooms_of_it("tenant", capsule(), "identity") == other(one, two)
>>>
return repo.rooms_of_it(
    "tenant", capsule(), "identity"
) == other(one, two)

self.cents[tenant, capsule, user] = self.balance(tenant, capsule, user) + cents
>>>
self.cents[tenant, capsule, user] = (
    self.balance(tenant, capsule, user) + cents
)

if repository.rooms_of_this_house("tenant", capsule(), "identity") is None:
    pass
>>>
if (
    repository.rooms_of_this_house(
        "tenant", capsule(), "identity"
    )
    is None
):
    pass

for one in repo.rooms_of_it("tenant", capsule(), "identity") or everything():
    pass
>>>
for one in (
    repo.rooms_of_it("tenant", capsule(), "identity")
    or everything()
):
    pass

assert (Keys.USER_PK.format(tenant_id="t", capsule_id=capsule()), "U") in table.rows
>>>
assert (
    Keys.USER_PK.format(tenant_id="t", capsule_id=capsule()),
    "U",
) in table.rows

assert [one.id for one in repo.rooms_of_it("tenant", capsule(), "id")] == ["one"]
>>>
assert [
    one.id
    for one in repo.rooms_of_it("tenant", capsule(), "id")
] == ["one"]

table.put_item(Item=note_key(tenant, capsule, note) | {"tenant": tenant, "note": n})
>>>
table.put_item(
    Item=note_key(tenant, capsule, note)
    | {"tenant": tenant, "note": n}
)

assert repo.get("t", capsule()) and one and repo.rooms_of_it("tenant", capsule())
>>>
assert (
    repo.get("t", capsule())
    and one
    and repo.rooms_of_it("tenant", capsule())
)

value = repo.rooms_of_it("tenant", capsule(), "identity").get("something")
>>>
value = repo.rooms_of_it("tenant", capsule(), "identity").get(
    "something"
)

return rooms_of("tenant", capsule(), "identity").bind(opened).bind(cleaned)
>>>
return (
    rooms_of("tenant", capsule(), "identity")
    .bind(opened)
    .bind(cleaned)
)

show(rooms_of("tenant", capsule(), "identity").first()["room"].name, more=1)
>>>
show(
    rooms_of("tenant", capsule(), "identity")
    .first()["room"]
    .name,
    more=1,
)

rooms = {"a": 1}.get(tenant_id + capsule_id + room_id, another_one).copy()
>>>
rooms = {"a": 1}.get(
    tenant_id + capsule_id + room_id, another_one
).copy()

assert any(repo.rooms_of_it("tenant", capsule(), one) == some_thing for one in all)
>>>
assert any(
    repo.rooms_of_it("tenant", capsule(), one) == some_thing
    for one in all
)

assert repo.rooms_of_it("tenant", capsule(), "identity") == expected == again
>>>
assert (
    repo.rooms_of_it("tenant", capsule(), "identity")
    == expected
    == again
)

return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}"  # fine
>>>
return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}"  # fine

rooms["key"] = f"TENANT#{self.tenant_id}#CAPSULE#{capsule_id}#R"
>>>
rooms["key"] = (
    f"TENANT#{self.tenant_id}#CAPSULE#{capsule_id}#R"
)

return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ROOM#{self.room_id}"
>>>
return f"TENANT#{self.tenant_id}#CAPSULE#{self.capsule_id}#ROOM#{self.room_id}"

self.rooms_by_name[room.tenant_id, room.capsule_id, room.name] = room
>>>
self.rooms_by_name[
    room.tenant_id, room.capsule_id, room.name
] = room

rooms = sorted(found, key=lambda room, tenant=tenant: order(room, tenant, capsule))
>>>
rooms = sorted(
    found,
    key=lambda room, tenant=tenant: order(
        room, tenant, capsule
    ),
)

assert House(lambda: rooms).named("tenant", capsule(), "name") is None
>>>
assert (
    House(lambda: rooms).named("tenant", capsule(), "name")
    is None
)

def rooms_of_it(self, tenant_id: str, capsule_id: str, room_id: str) -> Room:
    pass
>>>
def rooms_of_it(
    self, tenant_id: str, capsule_id: str, room_id: str
) -> Room:
    pass

found = cached(lambda tenant, capsule, one: f"{tenant}:{capsule}:{one}", ttl=3)
>>>
found = cached(
    lambda tenant, capsule, one: f"{tenant}:{capsule}:{one}",
    ttl=3,
)
"""
OPEN = """\
assert repo.rooms_of_it("tenant", capsule(), "identity", more=1) == {
    "a": 1,
}
"""
OPENED = """\
assert repo.rooms_of_it(
    "tenant", capsule(), "identity", more=1
) == {
    "a": 1,
}
"""


SPLIT = """\
rows = [
    row
    for row in self.rows_of_all_tenants
    if row["tenant_id"] == tenant_id and row["capsule"] == capsule
]
found = table.get_item(Key={"PK": pk(tenant, capsule), "SK": "M"}).get(
    "Item"
)["text"]
"""
SPLIT_ANEW = """\
rows = [
    row
    for row in self.rows_of_all_tenants
    if row["tenant_id"] == tenant_id
    and row["capsule"] == capsule
]
found = table.get_item(
    Key={"PK": pk(tenant, capsule), "SK": "M"}
).get("Item")["text"]
"""

ALIGNED = """\
found = room_of(tenant_id, capsule_id, {"a": more(1, 2)}, one=1,
                two=2)
if any_of(tenant_id, room_id,
          its_owner, owned(by=its_owner, tenant=tenant_id)) or x:
    pass
"""
ALIGNED_ANEW = """\
found = room_of(tenant_id, capsule_id, {"a": more(1, 2)},
                one=1,
                two=2)
if any_of(tenant_id, room_id,
          its_owner,
          owned(by=its_owner, tenant=tenant_id)) or x:
    pass
"""


@pytest.mark.parametrize("example", LINES.rstrip().split("\n\n"))
def test_a_long_line_is_broken_as_formatters_break_it(example: str) -> None:
    line, _, broken = example.partition("\n>>>\n")
    assert wrapped("", line, 62) == broken
    assert wrapped(line, line, 62) == line  # it was that long before


def test_a_line_that_opens_a_bracket_is_broken_before_it() -> None:
    assert wrapped("", OPEN, 62) == OPENED


def test_lines_that_go_on_where_a_bracket_was_opened_are_broken_as_one() -> None:
    assert wrapped("", SPLIT, 62) == SPLIT_ANEW


@pytest.mark.parametrize("end", ["\n", "\r\n"])
def test_elements_that_stand_below_each_other_go_on_to_do_so(end: str) -> None:
    known = "def f(x):\n  return x\n".replace("\n", end)  # by two spaces, which elements are not
    broken = wrapped("", known + ALIGNED.replace("\n", end), 62, unit_of(known), end)
    assert broken == known + ALIGNED_ANEW.replace("\n", end)


@pytest.mark.parametrize("unit", ["  ", "\t", "   "])
def test_what_is_broken_is_indented_as_its_file_is(unit: str) -> None:
    known = f"class A:\n\n{unit}# that\n{unit}x = 1\n"
    line = f"{unit}def rooms(self, tenant_id: str, capsule_id: str, room_id: str) -> str: ...\n"
    inner = f"{unit * 2}self, tenant_id: str, capsule_id: str, room_id: str\n"
    broken = wrapped("", known + line, 62, unit_of(known))
    assert broken == f"{known}{unit}def rooms(\n{inner}{unit}) -> str: ...\n"


def test_what_is_broken_ends_as_the_lines_of_its_file_do() -> None:
    call = "found = order_pk(tenant_id, capsule_id, 'a text that is long', 1)"
    inner = "    tenant_id, capsule_id, 'a text that is long', 1"
    for last in ("", "\n", "\r\n"):  # the last line of a file may have no end, or one of its own
        broken = wrapped("", f"{call}{last}", 62, end="\r\n")
        assert broken == f"found = order_pk(\r\n{inner}\r\n){last}"
