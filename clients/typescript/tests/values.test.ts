import assert from "node:assert/strict";
import { test } from "node:test";

import { connect, double, type Given, VariableMissing, VariableTypeMismatch } from "@decision-sidecar/client";
import { FakeSidecar } from "@decision-sidecar/client/testing";

async function roundTrip(given: Given): Promise<unknown> {
  const fake = new FakeSidecar();
  await using client = fake.client();
  await client.user("u").track("e", { properties: { given } });
  return fake.events[0]?.properties["given"];
}

test("an integer of 2^53+1 comes back, as does all of int64", async () => {
  for (const integer of [2n ** 53n + 1n, 2n ** 63n - 1n, -(2n ** 63n), 0n, -1n]) {
    assert.equal(await roundTrip(integer), integer);
  }
});

test("a whole number is an integer, any other a double, and `double` is one for certain", async () => {
  assert.equal(await roundTrip(2), 2n);
  assert.equal(await roundTrip(Number.MAX_SAFE_INTEGER), 2n ** 53n - 1n);
  assert.equal(await roundTrip(2 ** 53), 2 ** 53);
  assert.equal(await roundTrip(0.5), 0.5);
  assert.equal(await roundTrip(double(2)), 2);
  assert.ok(Object.is(await roundTrip(-0), -0));
  assert.ok(Number.isNaN(await roundTrip(NaN)));
});

test("lists and maps come back, a key that is a trap too", async () => {
  const nested = { list: [1n, null, true, "ü😀", [], {}], ["__proto__"]: { x: 0.5 } };
  assert.deepEqual(await roundTrip(JSON.parse('{"__proto__": "own"}') as Given), JSON.parse('{"__proto__": "own"}'));
  assert.deepEqual(await roundTrip(nested), nested);
});

test("a member that is undefined is left out", async () => {
  assert.deepEqual(await roundTrip({ there: "x", absent: undefined }), { there: "x" });
});

test("what has no wire form is refused at once, with its path", () => {
  const user = connect("127.0.0.1:9").user("u");
  const deep = (depth: number): Given => (depth === 0 ? "x" : [deep(depth - 1)]);
  const refused: [unknown, RegExp][] = [
    [[{ price: new Date(0) }], /^TypeError: properties\[p\]\[0\]\[price\] is Date, wanted null.*toISOString/],
    [[undefined], /^TypeError: properties\[p\]\[0\] is undefined/],
    [Symbol("s"), /^TypeError: properties\[p\] is symbol/],
    [new Map(), /^TypeError: properties\[p\] is Map/],
    [2n ** 63n, /^RangeError: properties\[p\] is `9223372036854775808`, wanted a bigint within int64/],
    ["\ud800", /^RangeError: properties\[p\] is text with a lone surrogate/],
    [{ "\ud800": 1 }, /^RangeError: properties\[p\] has a key that is no Unicode text/],
    [deep(33), /^RangeError: properties\[p\](\[0\]){32} is nested deeper than 32 levels/],
  ];
  for (const [p, message] of refused) {
    assert.throws(() => user.drafts.track("e", { properties: { p: p as Given } }), {
      message: new RegExp(message.source.replace(/^\^\w+: /, "^")),
    });
  }
  assert.doesNotThrow(() => user.drafts.track("e", { properties: { p: deep(32) } }));
  const list = { attributes: [1] as never };
  assert.throws(() => connect("127.0.0.1:9").user("u", list), /attributes is Array, wanted a plain object/);
  assert.throws(() => connect("127.0.0.1:9").user(7 as unknown as string), /userId is number `7`, wanted string/);
});

test("a variable of the wrong type names flag, variable, got and wanted", async () => {
  const fake = new FakeSidecar({ f: { variables: { text: "x", big: 2n ** 60n, whole: 7, half: 0.5, map: { a: 1 } } } });
  await using client = fake.client();
  const { variables } = await client.user("u").decide("f");
  assert.throws(
    () => variables.integer("text"),
    (error: VariableTypeMismatch) => {
      assert.deepEqual(
        [error.flagKey, error.variableKey, error.got, error.wanted, error.message],
        ["f", "text", "string", "integer", "variable `text` of flag `f` is string `x`, wanted integer"],
      );
      return error instanceof VariableTypeMismatch;
    },
  );
  assert.throws(() => variables.string("map", "mine"), /variable `map` of flag `f` is json `{"a":1}`, wanted string/);
  assert.throws(() => variables.integer("half"), VariableTypeMismatch);
  assert.throws(() => variables.boolean("absent"), VariableMissing);
  assert.throws(() => variables.integer("big"), /wanted one within ±\(2\^53 - 1\) or a read by `bigint`/);
  assert.equal(variables.bigint("big"), 2n ** 60n);
  assert.equal(variables.double("whole"), 7);
  assert.equal(variables.string("absent", "mine"), "mine");
  assert.deepEqual(variables.json<{ a: number }>("map"), { a: 1 });
  assert.deepEqual([...variables.keys()], ["text", "big", "whole", "half", "map"]);
});
