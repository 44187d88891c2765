// The object storage behind attachments: addresses that are signed, live for half an hour, and
// refuse a second way of authentication.

import { createHmac } from 'node:crypto';
import { createReadStream } from 'node:fs';
import { pipeline } from 'node:stream/promises';
import { sameSecret } from './client.mjs';
import { send } from './reply.mjs';

export const URL_S = 1800;
const BUCKET = '/qonto-simulated/uploads/attachment';

const basicTime = (ms) => `${new Date(ms).toISOString().slice(0, 19).replace(/[-:]/g, '')}Z`;

function signature(key, path, date) {
  return createHmac('sha256', key).update(`${path}\n${date}\n${URL_S}`).digest('hex');
}

/**
 * An address from which the bytes can be had for 30 minutes.
 * @param {object} qonto
 * @param {{id: string, file_name: string}} attachment
 */
export function presignedUrl(qonto, attachment) {
  const now = qonto.clock.now();
  const url = new URL(`${BUCKET}/${attachment.id}/${encodeURIComponent(attachment.file_name)}`,
    qonto.storage_url());
  const date = basicTime(now);
  const signed = signature(qonto.storage_key, url.pathname, date);
  qonto.secrets.note('qonto presigned signature', signed);
  const day = date.slice(0, 8);
  url.search = new URLSearchParams({
    'X-Amz-Algorithm': 'AWS4-HMAC-SHA256',
    'X-Amz-Credential': `AKIASIMULATED/${day}/eu-central-1/s3/aws4_request`,
    'X-Amz-Date': date, 'X-Amz-Expires': String(URL_S), 'X-Amz-SignedHeaders': 'host',
    'X-Amz-Signature': signed,
  }).toString();
  return url.href;
}

function refuse(res, status, code, message) {
  send(res, status, `<?xml version="1.0" encoding="UTF-8"?>\n<Error><Code>${code}</Code>`
    + `<Message>${message}</Message></Error>`, { 'Content-Type': 'application/xml' });
}

function timeOf(date) {
  const hit = /^(\d{4})(\d\d)(\d\d)T(\d\d)(\d\d)(\d\d)Z$/.exec(date ?? '');
  return hit ? Date.UTC(hit[1], hit[2] - 1, hit[3], hit[4], hit[5], hit[6]) : null;
}

function isSigned(qonto, url) {
  const given = url.searchParams.get('X-Amz-Signature') ?? '';
  const date = url.searchParams.get('X-Amz-Date') ?? '';
  return sameSecret(given, signature(qonto.storage_key, url.pathname, date));
}

/** @param {object} qonto @returns the handler of the storage listener */
export function createStorage(qonto) {
  return async (req, res) => {
    const url = new URL(req.url, 'https://storage.invalid');
    if (req.method !== 'GET') return refuse(res, 405, 'MethodNotAllowed', 'Only GET is allowed.');
    if (req.headers.authorization !== undefined) {
      return refuse(res, 400, 'InvalidArgument', 'Only one authentication mechanism is allowed.');
    }
    if (!isSigned(qonto, url)) {
      return refuse(res, 403, 'SignatureDoesNotMatch', 'The signature does not match.');
    }
    if (qonto.clock.now() > timeOf(url.searchParams.get('X-Amz-Date')) + URL_S * 1000) {
      return refuse(res, 403, 'AccessDenied', 'Request has expired.');
    }
    const id = url.pathname.slice(BUCKET.length + 1).split('/')[0];
    const attachment = qonto.store.attachments.get(id);
    if (!attachment) return refuse(res, 404, 'NoSuchKey', 'The key does not exist.');
    res.writeHead(200, {
      'Content-Type': attachment.content_type, 'Content-Length': String(attachment.bytes),
      ETag: `"${attachment.sha256.slice(0, 32)}"`, 'Accept-Ranges': 'none',
    });
    return attachment.content ? res.end(attachment.content)
      : pipeline(createReadStream(attachment.path), res);
  };
}
