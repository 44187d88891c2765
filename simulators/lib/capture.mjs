// Holds back an answer while the request is executed, so that it can be changed, cut or lost.

/**
 * @typedef {object} Answer
 * @property {number} status
 * @property {Record<string, string | string[]>} headers names in lower case
 * @property {Buffer} body
 */

/**
 * From now on nothing that the handler writes reaches the client. When it ends its answer,
 * `finish` gets it and decides what is sent; `res` then writes for real again.
 * @param {import('node:http').ServerResponse} res
 * @param {(answer: Answer) => void} finish
 */
export function captureAnswer(res, finish) {
  const real = {
    writeHead: res.writeHead, write: res.write, end: res.end, flushHeaders: res.flushHeaders,
  };
  const chunks = [];
  const keep = (chunk, encoding) => {
    if (chunk === null || chunk === undefined || typeof chunk === 'function') return;
    chunks.push(Buffer.from(chunk, typeof encoding === 'string' ? encoding : 'utf8'));
  };
  const done = (...args) => args.find((arg) => typeof arg === 'function')?.();

  res.flushHeaders = () => {};
  res.writeHead = (status, ...rest) => {
    res.statusCode = status;
    setHeaders(res, rest.find((arg) => typeof arg === 'object' && arg !== null));
    return res;
  };
  res.write = (chunk, encoding, callback) => {
    keep(chunk, encoding);
    done(encoding, callback);
    return true;
  };
  res.end = (chunk, encoding, callback) => {
    keep(chunk, encoding);
    Object.assign(res, real);
    const headers = { ...res.getHeaders() };
    for (const name of Object.keys(headers)) res.removeHeader(name);
    finish({ status: res.statusCode, headers, body: Buffer.concat(chunks) });
    done(chunk, encoding, callback);
    return res;
  };
}

/** writeHead takes headers as an object or as a flat list of names and values. */
function setHeaders(res, headers) {
  if (Array.isArray(headers)) {
    for (let i = 0; i + 1 < headers.length; i += 2) res.setHeader(headers[i], headers[i + 1]);
    return;
  }
  for (const [name, value] of Object.entries(headers ?? {})) res.setHeader(name, value);
}

/** Sends a whole answer. */
export function sendAnswer(res, answer) {
  const headers = { ...answer.headers, 'content-length': answer.body.length };
  delete headers['transfer-encoding'];
  res.writeHead(answer.status, headers);
  res.end(answer.body);
}

/** Destroys the connection without another byte. */
export function cutConnection(res) {
  (res.socket ?? res.req?.socket)?.destroy();
}

/** Promises the whole body, sends half of it and destroys the connection. */
export function sendHalfAndCut(res, answer) {
  const half = answer.body.subarray(0, Math.floor(answer.body.length / 2));
  const headers = { ...answer.headers, 'content-length': Math.max(answer.body.length, 1) };
  delete headers['transfer-encoding'];
  res.writeHead(answer.status, headers);
  // The bytes must have left before the cut, or the client sees no answer at all.
  res.write(half, () => cutConnection(res));
}
