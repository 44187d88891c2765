// Multipart bodies, read part by part: files go to disk while they arrive, and everything has a
// limit. The order of the parts is kept, because the bulk endpoint pairs them by position.

import { createHash } from 'node:crypto';
import { createWriteStream } from 'node:fs';
import { mkdir, open } from 'node:fs/promises';
import { join } from 'node:path';
import { pipeline } from 'node:stream/promises';
import { Transform } from 'node:stream';
import busboy from 'busboy';
import { apiError } from './errors.mjs';

export const REQUEST_BYTES_MAX = 15_000_000;
/** A body that is too large is still read up to here, so that the client sees the answer. */
const DRAIN_BYTES_MAX = 80_000_000;
const FIELD_BYTES_MAX = 64_000;
const PARTS_MAX = 200;

/**
 * @typedef {{name: string, kind: 'file', file_name: string, declared_type: string, path: string,
 *            bytes: number, sha256: string, content_type: string|null}} FilePart
 * @typedef {{name: string, kind: 'field', value: string}} FieldPart
 */

const SIGNATURES = [
  ['application/pdf', Buffer.from('%PDF-')],
  ['image/png', Buffer.from([0x89, 0x50, 0x4e, 0x47, 0x0d, 0x0a, 0x1a, 0x0a])],
  ['image/jpeg', Buffer.from([0xff, 0xd8, 0xff])],
];

/** The type that the first bytes say, whatever the sender declared. @param {Buffer} head */
export function sniff(head) {
  const hit = SIGNATURES.find(([, bytes]) => head.subarray(0, bytes.length).equals(bytes));
  return hit ? hit[0] : null;
}

/** Passes bytes on and counts and hashes them. */
function meter() {
  const hash = createHash('sha256');
  const seen = { bytes: 0, sha256: '' };
  const stream = new Transform({
    transform(chunk, _encoding, done) {
      seen.bytes += chunk.length;
      hash.update(chunk);
      done(null, chunk);
    },
    flush(done) {
      seen.sha256 = hash.digest('hex');
      done();
    },
  });
  return { stream, seen };
}

async function head(path) {
  const file = await open(path);
  try {
    const { buffer, bytesRead } = await file.read(Buffer.alloc(16), 0, 16, 0);
    return buffer.subarray(0, bytesRead);
  } finally {
    await file.close();
  }
}

/** @param {import('node:stream').Readable} stream @param {string} path */
async function writeFile(stream, path) {
  const { stream: counted, seen } = meter();
  await pipeline(stream, counted, createWriteStream(path));
  return { ...seen, content_type: sniff(await head(path)) };
}

const malformed = () =>
  apiError(400, 'bad_request', 'Request body is not valid multipart/form-data');

/**
 * Read the whole body.
 * @param {import('node:http').IncomingMessage} req
 * @param {{dir: string, newId: () => string}} into where files are written, under fresh names
 * @returns {Promise<(FilePart|FieldPart)[]>} in the order of the body
 */
export async function readMultipart(req, into) {
  await mkdir(into.dir, { recursive: true });
  const parser = openParser(req);
  const parts = [];
  const writes = [];
  let tooLong = false;
  parser.on('file', (name, stream, info) => {
    const part = {
      name, kind: 'file', file_name: info.filename ?? '', declared_type: info.mimeType,
      path: join(into.dir, into.newId()), bytes: 0, sha256: '', content_type: null,
    };
    parts.push(part);
    writes.push(writeFile(stream, part.path).then((facts) => Object.assign(part, facts)));
  });
  parser.on('field', (name, value, info) => {
    if (info.valueTruncated || info.nameTruncated) tooLong = true;
    parts.push({ name, kind: 'field', value });
  });
  parser.on('partsLimit', () => { tooLong = true; });
  await feed(req, parser, writes);
  if (tooLong) throw apiError(400, 'bad_request', 'Request is too large');
  return parts;
}

function openParser(req) {
  try {
    return busboy({
      headers: req.headers, defParamCharset: 'utf8',
      limits: { fieldSize: FIELD_BYTES_MAX, parts: PARTS_MAX, fileSize: REQUEST_BYTES_MAX },
    });
  } catch {
    req.resume();
    throw malformed();
  }
}

/** Hand the body to the parser up to the limit, and let the rest run out. */
async function feed(req, parser, writes) {
  const parsed = new Promise((resolve, reject) => {
    parser.on('close', resolve).on('error', reject);
  });
  parsed.catch(() => {});
  let bytes = 0;
  try {
    for await (const chunk of req) {
      bytes += chunk.length;
      if (bytes > DRAIN_BYTES_MAX) break;
      if (bytes <= REQUEST_BYTES_MAX && !parser.write(chunk)) await writable(parser, parsed);
    }
  } finally {
    if (bytes > REQUEST_BYTES_MAX) parser.destroy();
    else parser.end();
  }
  if (bytes > REQUEST_BYTES_MAX) {
    await Promise.allSettled(writes);
    throw apiError(400, 'bad_request', 'Request is too large');
  }
  try {
    await parsed;
    await Promise.all(writes);
  } catch {
    await Promise.allSettled(writes);
    throw malformed();
  }
}

/** Until the parser takes more, or has failed. */
function writable(parser, parsed) {
  const drained = new Promise((resolve) => { parser.once('drain', resolve); });
  return Promise.race([drained, parsed.catch(() => {})]);
}
