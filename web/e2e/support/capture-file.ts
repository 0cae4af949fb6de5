/** A small capture file (pcap, little endian, microseconds) with steady DNS questions and answers. */
import { writeFileSync } from "node:fs";

export function writeCapture(path: string, { from, seconds }: { from: number; seconds: number }): void {
  const parts: Buffer[] = [fileHeader()];
  for (let i = 0; i < seconds * 4; i += 1) {
    const moment = from + i * 250;
    const client = 40_000 + (Math.floor(i / 200) % 20);
    parts.push(packet(moment, [10, 0, 0, 1], [10, 0, 0, 53], client, 53, 60));
    parts.push(packet(moment + 2, [10, 0, 0, 53], [10, 0, 0, 1], 53, client, 300 + (i % 500)));
  }
  writeFileSync(path, Buffer.concat(parts));
}

function fileHeader(): Buffer {
  const header = Buffer.alloc(24);
  header.writeUInt32LE(0xa1b2c3d4, 0);
  header.writeUInt16LE(2, 4);
  header.writeUInt16LE(4, 6);
  header.writeUInt32LE(65_535, 16);
  header.writeUInt32LE(1, 20);
  return header;
}

/** Ethernet, IPv4, UDP; checksums are left out. */
function packet(
  moment: number,
  source: number[],
  destination: number[],
  from: number,
  to: number,
  size: number,
): Buffer {
  const frame = Buffer.alloc(42 + size, 0x78);
  Buffer.from([2, 0, 0, 0, 0, 1, 2, 0, 0, 0, 0, 2, 8, 0]).copy(frame);
  frame.fill(0, 14, 42);
  frame[14] = 0x45;
  frame.writeUInt16BE(28 + size, 16);
  frame[22] = 64;
  frame[23] = 17;
  Buffer.from([...source, ...destination]).copy(frame, 26);
  frame.writeUInt16BE(from, 34);
  frame.writeUInt16BE(to, 36);
  frame.writeUInt16BE(8 + size, 38);
  const head = Buffer.alloc(16);
  head.writeUInt32LE(Math.floor(moment / 1000), 0);
  head.writeUInt32LE((moment % 1000) * 1000, 4);
  head.writeUInt32LE(frame.length, 8);
  head.writeUInt32LE(frame.length, 12);
  return Buffer.concat([head, frame]);
}
