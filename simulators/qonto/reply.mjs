// Writing answers, and reading small request bodies.

/** A JSON or form body larger than this is refused. */
export const BODY_BYTES_MAX = 1_000_000;

/** JSON with the three characters escaped that Go's encoder escapes, `&` above all. */
export function escapedJson(body) {
  return JSON.stringify(body)
    .replaceAll('&', '\\u0026').replaceAll('<', '\\u003c').replaceAll('>', '\\u003e');
}

/**
 * @param {import('node:http').ServerResponse} res
 * @param {number} status
 * @param {string|Buffer} body
 * @param {Record<string, string|string[]>} headers
 */
export function send(res, status, body, headers) {
  const bytes = Buffer.from(body);
  res.writeHead(status, { ...headers, 'Content-Length': String(bytes.length) });
  res.end(bytes);
}

export function sendJson(res, status, body, headers = {}) {
  const type = { 'Content-Type': 'application/json; charset=utf-8' };
  send(res, status, escapedJson(body), { ...type, ...headers });
}

export function sendHtml(res, status, html, headers = {}) {
  send(res, status, html, { 'Content-Type': 'text/html; charset=utf-8', ...headers });
}

export function redirect(res, location, headers = {}) {
  send(res, 302, '', { Location: location, ...headers });
}

/** The sign-in page that stands before the sandbox. */
export function sendGatePage(res) {
  sendHtml(res, 200, '<!DOCTYPE html>\n<html><head><title>Sign in</title></head>'
    + '<body><h1>Sign in to continue</h1><form method="post" action="/login"></form></body>'
    + '</html>\n');
}

/**
 * Whether a request may pass the gate of the sandbox.
 * @param {import('node:http').IncomingMessage} req
 * @param {{staging_token: string, switches: {get: (name: string) => any}}} qonto
 */
export function passesGate(req, qonto) {
  if (!qonto.switches.get('staging_gate')) return true;
  const exact = qonto.switches.get('staging_header_case_sensitive');
  for (let i = 0; i < req.rawHeaders.length; i += 2) {
    const name = req.rawHeaders[i];
    const matches = exact ? name === 'X-Qonto-Staging-Token'
      : name.toLowerCase() === 'x-qonto-staging-token';
    if (matches && req.rawHeaders[i + 1] === qonto.staging_token) return true;
  }
  return false;
}

/**
 * @param {import('node:http').IncomingMessage} req
 * @returns {Promise<string|null>} null when it is too large
 */
export async function readText(req) {
  const chunks = [];
  let bytes = 0;
  for await (const chunk of req) {
    bytes += chunk.length;
    if (bytes <= BODY_BYTES_MAX) chunks.push(chunk);
  }
  return bytes > BODY_BYTES_MAX ? null : Buffer.concat(chunks).toString('utf8');
}
