// Calls that a well-behaved client would never make: any bytes as a body, any header, or a whole
// request written by hand on a socket. Their answers are held to the contract like all others.

import assert from 'node:assert/strict';
import { connect } from 'node:net';
import { base, contract, observe } from './stack.mjs';

/** @returns {Promise<{status: number, headers: Headers, body: any}>} */
export async function send(method, path, { headers = {}, body } = {}) {
  const answer = await fetch(base + path, { method, headers, body, redirect: 'manual' });
  const bytes = Buffer.from(await answer.arrayBuffer());
  const type = answer.headers.get('content-type') ?? '';
  const parsed = /json/.test(type) ? JSON.parse(bytes.toString('utf8')) : bytes;
  observe({ method, path, status: answer.status, type, body: parsed, bytes });
  return { status: answer.status, headers: answer.headers, body: parsed };
}

/** Writes `lines` to a fresh connection and reads until the server closes it, or for a second. */
export function onSocket(lines) {
  const { hostname, port } = new URL(base);
  return new Promise((resolve, reject) => {
    const socket = connect(Number(port), hostname, () => socket.write(lines));
    let text = '';
    socket.setTimeout(1000, () => socket.destroy());
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
    });
    socket.on('error', reject);
    socket.on('close', () => resolve({ text, status: Number(text.split(' ')[1]) }));
  });
}

/** A refusal: the status, a body of the contract's shape that agrees with it, and its code. */
export function assertRefused(answer, status, code, field) {
  const said = JSON.stringify(answer.body);
  assert.equal(answer.status, status, said);
  assert.match(answer.headers.get('content-type'), /^application\/problem\+json/);
  assert.equal(contract.wrongWith('Failure', answer.body), null);
  assert.equal(answer.body.status, status);
  if (code) assert.equal(answer.body.code, code, said);
  if (field) assert.equal(answer.body.field, field, said);
}
