// An upstream that keeps every byte nginx sends it and answers 204: how requests look behind nginx.

import { createServer } from 'node:net';

const HEAD_END = '\r\n\r\n';
const ANSWER = 'HTTP/1.1 204 No Content\r\nStrict-Transport-Security: max-age=1\r\n\r\n';

/** The requests in these bytes as the strictest reader sees them: {head, body}. */
function requestsIn(bytes) {
  const found = [];
  let rest = bytes;
  while (rest.includes(HEAD_END)) {
    const head = rest.slice(0, rest.indexOf(HEAD_END));
    const length = Number(/\r\ncontent-length: *([0-9]+)/i.exec(head)?.[1] ?? 0);
    const start = head.length + HEAD_END.length;
    if (rest.length < start + length) break;
    found.push({ head, body: rest.slice(start, start + length) });
    rest = rest.slice(start + length);
  }
  return { found, rest };
}

export class Witness {
  requests = [];

  connections = 0;

  #sockets = new Set();

  async listen() {
    this.server = createServer((socket) => this.#hear(socket));
    await new Promise((resolve) => { this.server.listen(0, '127.0.0.1', resolve); });
    return `127.0.0.1:${this.server.address().port}`;
  }

  #hear(socket) {
    this.connections += 1;
    this.#sockets.add(socket);
    let bytes = '';
    socket.on('data', (chunk) => {
      const { found, rest } = requestsIn(bytes + chunk.toString('latin1'));
      bytes = rest;
      this.requests.push(...found);
      found.forEach(() => socket.write(ANSWER));
    });
    socket.on('error', () => {});
    socket.on('close', () => this.#sockets.delete(socket));
  }

  /** What came since the last time. */
  take() {
    return this.requests.splice(0);
  }

  async close() {
    if (!this.server?.listening) return;
    this.#sockets.forEach((socket) => socket.destroy());
    await new Promise((resolve) => { this.server.close(resolve); });
  }
}
