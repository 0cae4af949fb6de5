// The other end of the lab: servers whose answers are quick, slow, large or hostile.
import dgram from "node:dgram";
import http from "node:http";
import net from "node:net";

const block = Buffer.alloc(64 * 1024, 0x6e);

http
  .createServer((request, response) => {
    request.resume();
    if (request.url === "/slow") return void setTimeout(() => response.end("late\n"), 700);
    if (request.url !== "/stream") return void response.end(block.subarray(0, 20_000));
    pour(response, 700_000, 17);
  })
  .listen(80, "::");

// Services that people know by their port: each pours at its own pace, and takes what is sent to it.
for (const [port, pace, period] of [
  [22, 60_000, 7],
  [443, 900_000, 23],
  [993, 120_000, 11],
  [5201, 300_000, 31],
]) {
  net
    .createServer((socket) => {
      socket.on("error", () => socket.destroy());
      socket.resume();
      pour(socket, pace, period);
    })
    .listen(port, "::");
}

/** Writes about that many octets a second, more and less in turn over so many seconds, for as long as somebody listens. */
function pour(stream, pace, period) {
  const timer = setInterval(() => {
    const swing = 1 + 0.8 * Math.sin((Date.now() / 1000 / period) * 2 * Math.PI);
    let left = Math.round((pace * swing) / 20);
    for (; left > 0; left -= block.length) stream.write(block.subarray(0, Math.min(left, block.length)));
  }, 50);
  stream.on("close", () => clearInterval(timer));
}

// Answers every question with an address of its own: a second one for names that are hostile.
const dns = dgram.createSocket("udp6");
dns.on("message", (question, { address, port }) => {
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(1, 6);
  header.writeUInt16BE(0, 10);
  let end = 12;
  while (end < question.length && question[end] !== 0) end += 1 + question[end];
  const asked = question.subarray(12, end + 5);
  const host = asked.includes("<") ? 66 : 2;
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 77, 0, host]);
  dns.send(Buffer.concat([header, asked, answer]), port, address);
});
dns.bind(53, "::", () => process.stdout.write("ready\n"));
