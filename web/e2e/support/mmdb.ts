/** A small MaxMind database of autonomous systems (format 2.0): IPv4 networks, with number and name of each. */
import { writeFileSync } from "node:fs";

type Tree = { value?: number; sides: [Tree?, Tree?] };
export type System = { network: string; asn: number; name: string };

export function writeSystems(path: string, systems: readonly System[]): void {
  const values = systems.map(({ asn, name }) =>
    map([
      ["autonomous_system_number", sized(6, u32(asn))],
      ["autonomous_system_organization", text(name)],
    ]),
  );
  const places = values.map((_, i) => values.slice(0, i).reduce((sum, value) => sum + value.length, 0));
  const root: Tree = { sides: [] as unknown as Tree["sides"] };
  systems.forEach(({ network }, i) => {
    insert(root, network, places[i] ?? 0);
  });
  const nodes = numbered(root);
  const records = nodes.flatMap(({ sides }) =>
    ([0, 1] as const).map((side) => {
      const next = sides[side];
      if (next === undefined) return u32(nodes.length).subarray(1);
      const target = next.value === undefined ? nodes.indexOf(next) : nodes.length + 16 + next.value;
      return u32(target).subarray(1);
    }),
  );
  const about = map([
    ["binary_format_major_version", sized(5, u32(2).subarray(2))],
    ["binary_format_minor_version", sized(5, u32(0).subarray(2))],
    ["build_epoch", Buffer.concat([Buffer.from([8, 2]), Buffer.alloc(4), u32(1_795_132_800)])],
    ["database_type", text("Test")],
    ["description", map([["en", text("test")]])],
    ["ip_version", sized(5, u32(4).subarray(2))],
    ["languages", Buffer.concat([Buffer.from([1, 4]), text("en")])],
    ["node_count", sized(6, u32(nodes.length))],
    ["record_size", sized(5, u32(24).subarray(2))],
  ]);
  const mark = Buffer.concat([Buffer.from([0xab, 0xcd, 0xef]), Buffer.from("MaxMind.com")]);
  writeFileSync(path, Buffer.concat([...records, Buffer.alloc(16), ...values, mark, about]));
}

function insert(root: Tree, network: string, value: number): void {
  const [address = "", length = "32"] = network.split("/");
  const bits = address
    .split(".")
    .map((octet) => Number(octet).toString(2).padStart(8, "0"))
    .join("")
    .slice(0, Number(length));
  let at = root;
  [...bits].forEach((bit, i) => {
    const side = bit === "1" ? 1 : 0;
    at.sides[side] ??= { sides: [] as unknown as Tree["sides"] };
    at = at.sides[side];
    if (i === bits.length - 1) at.value = value;
  });
}

/** The inner nodes, the root first. */
function numbered(root: Tree): Tree[] {
  const nodes = [root];
  for (const { sides } of nodes)
    for (const side of sides) if (side !== undefined && side.value === undefined) nodes.push(side);
  return nodes;
}

function u32(value: number): Buffer {
  const buffer = Buffer.alloc(4);
  buffer.writeUInt32BE(value);
  return buffer;
}

/** A value of a type below 8; sizes here are below 285. */
function sized(type: number, body: Buffer): Buffer {
  const head = body.length < 29 ? [(type << 5) | body.length] : [(type << 5) | 29, body.length - 29];
  return Buffer.concat([Buffer.from(head), body]);
}

const text = (value: string): Buffer => sized(2, Buffer.from(value));

function map(entries: readonly (readonly [string, Buffer])[]): Buffer {
  const head = Buffer.from([(7 << 5) | entries.length]);
  return Buffer.concat([head, ...entries.flatMap(([key, value]) => [text(key), value])]);
}
