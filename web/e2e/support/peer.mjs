// The other end of the lab: servers whose answers are quick, slow, large or hostile.
import dgram from "node:dgram";
import http from "node:http";

const block = Buffer.alloc(64 * 1024, 0x6e);

http
  .createServer((request, response) => {
    if (request.url === "/slow") return void setTimeout(() => response.end("late\n"), 700);
    if (request.url !== "/stream") return void response.end(block.subarray(0, 20_000));
    // About two megabytes a second for as long as somebody listens.
    const timer = setInterval(() => response.write(block), 32);
    response.on("close", () => clearInterval(timer));
  })
  .listen(80, "::");

// Answers every question for an address with its own, under the name that was asked for.
const dns = dgram.createSocket("udp6");
dns.on("message", (question, { address, port }) => {
  const header = Buffer.from(question.subarray(0, 12));
  header.writeUInt16BE(0x8180, 2);
  header.writeUInt16BE(1, 6);
  header.writeUInt16BE(0, 10);
  let end = 12;
  while (end < question.length && question[end] !== 0) end += 1 + question[end];
  const asked = question.subarray(12, end + 5);
  const answer = Buffer.from([0xc0, 12, 0, 1, 0, 1, 0, 0, 0, 60, 0, 4, 10, 77, 0, 2]);
  dns.send(Buffer.concat([header, asked, answer]), port, address);
});
dns.bind(53, "::", () => process.stdout.write("ready\n"));
