// Bytes over TLS as no client library would send them, and one request over HTTPS as all do.

import { request } from 'node:https';
import { connect } from 'node:tls';
import { NAME } from './nginx.mjs';

const QUIET_MS = 250;
const PATIENCE_MS = 5000;

const open = ({ port, ca }, options = {}) => connect({
  host: '127.0.0.1', port, ca, servername: NAME, ALPNProtocols: ['http/1.1'], ...options,
});

/** Writes these bytes and reads until the other side closes, or has answered and says no more. */
export function speak(nginx, bytes) {
  return new Promise((resolve, reject) => {
    const socket = open(nginx);
    let text = '';
    let quiet;
    const patience = setTimeout(() => socket.destroy(new Error(`no answer to ${bytes}`)), PATIENCE_MS);
    socket.on('secureConnect', () => socket.write(Buffer.from(bytes, 'latin1')));
    socket.on('data', (chunk) => {
      text += chunk.toString('latin1');
      clearTimeout(quiet);
      quiet = setTimeout(() => socket.destroy(), QUIET_MS);
    });
    socket.on('error', reject);
    socket.on('close', () => {
      clearTimeout(quiet);
      clearTimeout(patience);
      resolve([...text.matchAll(/HTTP\/1\.1 ([0-9]{3}) /g)].map((match) => Number(match[1])));
    });
  });
}

/** Shakes hands only. @returns {Promise<{protocol: string, application: string}>} */
export function shakeHands(nginx, options) {
  return new Promise((resolve, reject) => {
    const socket = open(nginx, options);
    socket.on('error', reject);
    socket.on('secureConnect', () => {
      resolve({ protocol: socket.getProtocol(), application: socket.alpnProtocol });
      socket.destroy();
    });
  });
}

/** @returns {Promise<{status: number, headers: object, raw: string[], bytes: Buffer}>} */
export function call({ port, ca }, method, path, { headers = {}, body, agent } = {}) {
  return new Promise((resolve, reject) => {
    const sent = request({
      host: '127.0.0.1', port, ca, servername: NAME, method, path, agent,
      headers: { host: NAME, ...headers, ...(body === undefined ? {} : { 'content-length': Buffer.byteLength(body) }) },
    }, (answer) => {
      const chunks = [];
      answer.on('data', (chunk) => chunks.push(chunk));
      answer.on('error', reject);
      answer.on('end', () => resolve({
        status: answer.statusCode, headers: answer.headers, raw: answer.rawHeaders, bytes: Buffer.concat(chunks),
      }));
    });
    sent.on('error', reject);
    sent.end(body);
  });
}
