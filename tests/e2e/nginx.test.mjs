// deploy/nginx/sluice.conf before a running Sluice: a request that can be read in two ways never becomes
// a second request behind it, and what clients do all day goes through. Needs tests/e2e/run.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { Agent } from 'node:https';
import { connect as connectHttp2 } from 'node:http2';
import { join } from 'node:path';
import { after, before, describe, test } from 'node:test';
import { until } from '../../deploy/local/demo/api.mjs';
import { buy, integrated, retire } from '../api/support/flow.mjs';
import { base, contract, directory } from '../api/support/stack.mjs';
import { NAME, startNginx } from './support/nginx.mjs';
import { call, shakeHands, speak } from './support/raw-tls.mjs';
import { Witness } from './support/witness.mjs';

const PATH = '/v1/providers'; // public, and Sluice logs a line for it
const BODY_BYTES_MAX = 512 * 1024;
const FRONTEND = 'https://app.example.com';
const witness = new Witness();
let nginx;
let witnessed;

before(async () => {
  nginx = await startNginx(new URL(base).host);
  witnessed = await startNginx(await witness.listen());
});
after(async () => {
  await nginx?.stop();
  await witnessed?.stop();
  await witness.close();
});

/** The requests that Sluice logged, answered or refused, since `from` lines. */
function logged(from = 0) {
  const lines = readFileSync(join(directory, 'sluice.log'), 'utf8').split('\n').filter(Boolean);
  return lines.slice(from).map((line) => JSON.parse(line)).filter(({ event }) => /^http\.(request|refused)$/.test(event));
}

const head = (lines, id) => [...lines, `X-Request-Id: ${id}`, '', ''].join('\r\n');
const get = (id, ...lines) => head([`GET ${PATH} HTTP/1.1`, `Host: ${NAME}`, ...lines], id);
const post = (id, ...lines) => head(['POST /v1/auth/logout HTTP/1.1', `Host: ${NAME}`, ...lines], id);
const chunk = (text, end = '\r\n') => `${text.length.toString(16)}${end}${text}${end}`;
const LAST = '0\r\n\r\n';

// What is sent, given the name of the honest request and a whole second request that must not be one;
// and the answers: [] is a connection that was closed without any.
const REFUSED = {
  'a folded header': [400, (id) => get(id, 'X-A: b', ' c')],
  'a length in a folded header': [400, (id, second) => post(id, 'X-A: b', `\tContent-Length: ${second.length}`) + second],
  'an encoding in a folded header': [400, (id, second) => post(id, 'X-A: b', ' Transfer-Encoding: chunked') + LAST + second],
  'a value that is folded after its colon': [400, (id, second) => post(id, 'Transfer-Encoding:', ' chunked') + LAST + second],
  'a blank before the first header': [400, (id) => `GET ${PATH} HTTP/1.1\r\n Host: ${NAME}\r\nX-Request-Id: ${id}\r\n\r\n`],
  'a NUL in a value': [400, (id, second) => get(id, 'X-A: b\0c') + second],
  'a NUL in a name': [400, (id, second) => get(id, 'X-\0A: b') + second],
  'a NUL before a length': [400, (id, second) => post(id, `X-A: b\0\r\nContent-Length: ${second.length}`) + second],
  'a NUL in the target': [400, (id) => get(id).replace(PATH, `${PATH}\0`)],
  'a lone CR in a value': [400, (id, second) => get(id, `X-A: b\rContent-Length: ${second.length}`) + second],
  'two lengths that differ': [400, (id, second) => post(id, 'Content-Length: 0', `Content-Length: ${second.length}`) + second],
  'two lengths that agree': [400, (id, second) => post(id, 'Content-Length: 0', 'Content-Length: 0') + second],
  'a list of lengths': [400, (id, second) => post(id, 'Content-Length: 0, 0') + second],
  'a length with a sign': [400, (id, second) => post(id, 'Content-Length: +0') + second],
  'a length in hexadecimal': [400, (id, second) => post(id, 'Content-Length: 0x0') + second],
  'a length beyond all numbers': [400, (id, second) => post(id, 'Content-Length: 18446744073709551616') + second],
  'a length and an encoding': [400, (id, second) => post(id, `Content-Length: ${second.length + 5}`, 'Transfer-Encoding: chunked') + LAST + second],
  'an encoding and a length': [400, (id, second) => post(id, 'Transfer-Encoding: chunked', 'Content-Length: 5') + LAST + second],
  'chunks that end before a second request': [411, (id, second) => post(id, 'Transfer-Encoding: chunked') + LAST + second],
  'chunks that hold a second request': [411, (id, second) => post(id, 'Transfer-Encoding: chunked') + chunk(second) + LAST],
  'an encoding in capitals and blanks': [411, (id, second) => post(id, 'TRANSFER-ENCODING:   Chunked') + LAST + second],
  'an encoding behind a tab': [501, (id, second) => post(id, 'Transfer-Encoding:\tchunked') + LAST + second],
  'an encoding that is none': [501, (id, second) => post(id, 'Transfer-Encoding: xchunked') + LAST + second],
  'two encodings': [400, (id, second) => post(id, 'Transfer-Encoding: chunked', 'Transfer-Encoding: identity') + LAST + second],
  'an encoding in HTTP/1.0': [400, (id, second) => post(id, 'Transfer-Encoding: chunked').replace('HTTP/1.1', 'HTTP/1.0') + LAST + second],
  'a blank before the colon of an encoding': [400, (id, second) => post(id, 'Transfer-Encoding : chunked') + LAST + second],
  'a blank before the colon of a length': [400, (id, second) => post(id, `Content-Length : ${second.length}`) + second],
  'two hosts': [400, (id, second) => get(id, 'Host: 127.0.0.1') + second],
  'two hosts, ours last': [400, (id, second) => get(id, `Host: ${NAME}`).replace(NAME, '127.0.0.1') + second],
  'one host, twice': [400, (id, second) => get(id, `Host: ${NAME}`) + second],
  'a target that names another host': [421, (id) => get(id).replace(PATH, `https://elsewhere.example${PATH}`)],
  'a host that is not the one of the target': [400, (id) => get(id)
    .replace(`Host: ${NAME}`, 'Host: elsewhere.example').replace(PATH, `https://${NAME}${PATH}`)],
  'a target of another server alone': [421, (id) => get(id).replace(`Host: ${NAME}`, 'Host: elsewhere.example')],
  'two credentials': [400, (id) => get(id, 'Authorization: Bearer a', 'Authorization: Bearer b')],
};

// Read in one way, and handed on as one request; what stands behind it is refused.
const ONE = {
  'a bare line feed after every line': [200, (id) => get(id, 'X-A: b').replaceAll('\r\n', '\n')],
  'a bare line feed before a length': [null, (id, second) => post(id, `X-A: b\nContent-Length: ${second.length}`) + second],
  'bare line feeds that end the head': [200, (id, second) => `${get(id, 'X-A: b').slice(0, -4)}\n\n${second}`],
  'a bare line feed, then an empty line': [200, (id, second) => `${get(id).slice(0, -2)}\n${second}`],
  'a second request right behind': [200, (id, second) => get(id) + second],
  'a length with an underscore': [200, (id, second) => get(id, `Content_Length: ${second.length}`) + second],
  'an encoding with an underscore': [200, (id, second) => get(id, 'Transfer_Encoding: chunked') + LAST + second],
  'a second request as the body': [null, (id, second) => post(id, `Content-Length: ${second.length}`) + second],
};

/** What came to the witness is at most one request, and no two readers can differ about it. */
function assertPlain(requests, secondId) {
  assert.ok(requests.length <= 1, `${requests.length} requests`);
  requests.forEach(({ head: text, body }) => {
    const lines = text.split('\r\n');
    const count = (name) => lines.filter((line) => line.toLowerCase().startsWith(`${name}:`)).length;
    // eslint-disable-next-line no-control-regex
    assert.doesNotMatch(lines.join(''), /[\0-\x08\x0a-\x1f\x7f]/, 'a control byte stands in the head');
    lines.slice(1).forEach((line) => assert.match(line, /^[A-Za-z0-9-]+: /));
    assert.equal(count('host'), 1);
    assert.equal(count('transfer-encoding'), 0);
    assert.equal(count('content-length'), body ? 1 : Math.min(count('content-length'), 1));
    assert.ok(!text.includes(secondId), 'the second request is in a head');
  });
}

/** Sends it to both; what each saw behind nginx. */
async function attempt(make) {
  const [id, secondId] = [randomUUID(), randomUUID()];
  const from = readFileSync(join(directory, 'sluice.log'), 'utf8').split('\n').length - 1;
  const bytes = make(id, get(secondId));
  witness.take();
  const statuses = await speak(nginx, bytes);
  await speak(witnessed, bytes);
  // Sluice logs a request before it answers; this one comes after all that were sent.
  await fetch(`${base}${PATH}`);
  const atSluice = logged(from).slice(0, -1);
  const atWitness = witness.take();
  assertPlain(atWitness, secondId);
  assert.ok(!atSluice.some(({ request }) => request === secondId), 'the second request reached Sluice');
  return { id, statuses, atSluice, atWitness };
}

describe('a request that two readers could read in two ways', () => {
  for (const [what, [status, make]] of Object.entries(REFUSED)) {
    test(`${what} is refused and does not reach Sluice`, async () => {
      const { statuses, atSluice, atWitness } = await attempt(make);
      assert.equal(statuses[0], status, JSON.stringify(statuses));
      assert.ok(statuses.every((answer) => answer >= 400), JSON.stringify(statuses));
      assert.deepEqual(atSluice, []);
      assert.deepEqual(atWitness, []);
    });
  }
  for (const [what, [status, make]] of Object.entries(ONE)) {
    test(`${what} is one request to Sluice`, async () => {
      const { id, statuses, atSluice, atWitness } = await attempt(make);
      if (status) assert.equal(statuses[0], status, JSON.stringify(statuses));
      assert.ok(statuses.slice(1).every((answer) => answer === 400), JSON.stringify(statuses));
      assert.deepEqual(atSluice.map(({ request }) => request), [id]);
      assert.equal(atWitness.length, 1);
    });
  }
});

/** A refusal of nginx in the contract's shape. */
function assertRefused(answer, status, code) {
  assert.equal(answer.status, status);
  assert.match(answer.headers['content-type'], /^application\/problem\+json/);
  const problem = JSON.parse(answer.bytes.toString('utf8'));
  assert.equal(contract.wrongWith('Failure', problem), null);
  assert.equal(problem.status, status);
  assert.equal(problem.code, code);
  assert.equal(problem.request_id, answer.headers['x-request-id']);
}

describe('what clients do all day', () => {
  const password = readFileSync(join(directory, 'keys/operator-password'), 'utf8').trim();
  const login = (via, headers = {}) => call(via, 'POST', '/v1/auth/login', {
    headers: { 'content-type': 'application/json', ...headers },
    body: JSON.stringify({ email: 'operator@example.com', password }),
  });
  let session;
  let flow;
  before(async () => {
    flow = await integrated();
    await buy(flow);
  });
  after(() => retire(flow));

  test('signing in', async () => {
    const answer = await login(nginx);
    assert.equal(answer.status, 200);
    session = JSON.parse(answer.bytes);
    assert.ok(session.access_token);
  });

  test('a list, with the headers of Sluice as they were', async () => {
    const answer = await call(nginx, 'GET', '/v1/workspaces?limit=1', {
      headers: { authorization: `Bearer ${session.access_token}` },
    });
    assert.equal(answer.status, 200);
    assert.equal(JSON.parse(answer.bytes).data.length, 1);
    assert.equal(answer.headers['cache-control'], 'no-store');
  });

  test('HTTPS for a year to come, said once', async () => {
    const answer = await call(witnessed, 'GET', PATH); // its upstream says so too, for a second
    assert.deepEqual(answer.raw.filter((_, i) => /^strict-transport-security$/i.test(answer.raw[i - 1])), ['max-age=31536000']);
  });

  test('a document, byte for byte', async () => {
    const path = await until('a document was drawn', async () => {
      const { data } = await flow.api.get(`${flow.at}/records`);
      const paths = data.map(({ id }) => `${flow.at}/records/${id}/document`);
      const drawn = await Promise.all(paths.map(async (at) => (await flow.api.call('GET', at)).status === 200));
      return paths.find((at, i) => drawn[i]);
    });
    const answer = await call(nginx, 'GET', path, { headers: { authorization: `Bearer ${flow.key.key}` } });
    assert.equal(answer.status, 200);
    assert.equal(answer.headers['content-type'], 'application/pdf');
    const direct = await flow.api.expect(200, 'GET', path);
    assert.ok(direct.length > 1000 && answer.bytes.equals(direct), `${answer.bytes.length} of ${direct.length} bytes`);
  });

  test('HEAD: the length and no body', async () => {
    const [whole, only] = [await call(nginx, 'GET', PATH), await call(nginx, 'HEAD', PATH)];
    assert.equal(only.status, 200);
    assert.equal(only.bytes.length, 0);
    assert.equal(only.headers['content-length'], String(whole.bytes.length));
  });

  test('a preflight of the web frontend', async () => {
    const answer = await call(nginx, 'OPTIONS', '/v1/workspaces', {
      headers: { origin: FRONTEND, 'access-control-request-method': 'POST', 'access-control-request-headers': 'authorization' },
    });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers['access-control-allow-origin'], FRONTEND);
    assert.match(answer.headers['access-control-allow-headers'], /Authorization/);
  });

  test('HTTP/2', async () => {
    const client = connectHttp2(`https://127.0.0.1:${nginx.port}`, { ca: nginx.ca, servername: NAME });
    const stream = client.request({ ':path': PATH, ':authority': NAME });
    const status = await new Promise((resolve, reject) => {
      client.on('error', reject);
      stream.on('error', reject);
      stream.on('response', (headers) => resolve(headers[':status']));
    });
    client.close();
    assert.equal(status, 200);
  });

  test('the name of a request is the same in both logs and in the answer', async () => {
    const id = randomUUID();
    const named = await call(nginx, 'GET', `${PATH}?page=of-a-secret`, { headers: { 'x-request-id': id } });
    assert.equal(named.headers['x-request-id'], id);
    const nameless = await call(nginx, 'GET', PATH, { headers: { 'x-request-id': 'x"}' } });
    const names = [id, nameless.headers['x-request-id']];
    await until('nginx wrote its log', () => names.every((name) => nginx.access().some((line) => line.request === name)), { seconds: 5 });
    names.forEach((name) => assert.ok(logged().some(({ request }) => request === name), name));
    assert.ok(!JSON.stringify(nginx.access()).includes('of-a-secret'), 'a query is in the log');
  });

  test('asking for health leaves no line in the log of nginx', async () => {
    assert.equal((await call(nginx, 'GET', '/healthz')).status, 200);
    assert.equal((await call(nginx, 'GET', PATH)).status, 200);
    assert.ok(!nginx.access().some(({ path }) => path === '/healthz'));
  });
});

describe('what nginx keeps for itself', () => {
  test('TLS 1.2', async () => {
    await assert.rejects(shakeHands(nginx, { maxVersion: 'TLSv1.2' }), /protocol version|ECONNRESET/i);
    assert.deepEqual(await shakeHands(nginx, { ALPNProtocols: ['h2', 'http/1.1'] }), { protocol: 'TLSv1.3', application: 'h2' });
  });

  test('a handshake for another name', async () => {
    await assert.rejects(shakeHands(nginx, { servername: 'elsewhere.example' }), /unrecognized name/i);
  });

  test('a body larger than any route takes; one that fits goes through', async () => {
    const from = logged().length;
    const send = (bytes) => call(nginx, 'POST', '/v1/auth/logout', {
      headers: { 'content-type': 'application/json', 'x-request-id': randomUUID() }, body: 'x'.repeat(bytes),
    });
    assertRefused(await send(BODY_BYTES_MAX + 1), 413, 'body_too_large');
    assert.equal(logged().length, from);
    assertRefused(await send(BODY_BYTES_MAX), 413, 'body_too_large'); // Sluice's own: this route takes less
    assert.equal(logged().length, from + 1);
  });

  test('a head that is too large', async () => {
    assertRefused(await call(nginx, 'GET', PATH, { headers: { 'x-a': 'b'.repeat(9000) } }), 431, 'headers_too_large');
    assertRefused(await call(nginx, 'GET', `${PATH}?${'b'.repeat(9000)}`), 400, 'request_malformed');
  });

  test('chunks, with the contract\'s refusal', async () => {
    const answer = await call(nginx, 'GET', PATH, { headers: { 'transfer-encoding': 'chunked' } });
    assertRefused(answer, 411, 'length_required');
  });

  test('the metrics, however the path is written', async () => {
    for (const path of ['/metrics', '//metrics', '/%6detrics', '/v1/../metrics', '/./metrics?a=b']) {
      assertRefused(await call(nginx, 'GET', path), 404, 'not_found');
    }
    assert.equal((await fetch(`${base}/metrics`)).status, 200);
  });

  test('its own pages of refusal', async () => {
    assert.equal((await call(nginx, 'GET', '/.refused/malformed')).status, 404);
  });

  test('what a client says about where it comes from', async () => {
    witness.take();
    await call(witnessed, 'GET', PATH, {
      headers: { 'x-forwarded-for': '192.0.2.1', 'x-forwarded-proto': 'http', 'x-forwarded-host': 'a.example', forwarded: 'for=192.0.2.1' },
    });
    const [{ head: text }] = witness.take();
    const lines = text.toLowerCase().split('\r\n').filter((line) => /^(x-)?forwarded|^host/.test(line)).sort();
    assert.deepEqual(lines, [`host: ${NAME}`, 'x-forwarded-for: 127.0.0.1', `x-forwarded-host: ${NAME}`, 'x-forwarded-proto: https']);
  });

  test('its connections to Sluice, for the next call', async () => {
    const from = witness.connections;
    witness.take();
    for (let i = 0; i < 5; i += 1) await call(witnessed, 'GET', PATH, { agent: new Agent() });
    assert.ok(witness.connections <= from + 1, `${witness.connections - from} connections for five calls`);
    witness.take().forEach(({ head: text }) => assert.doesNotMatch(text, /^connection:/mi));
  });

  test('a flood of logins from one address', async () => {
    const answers = await Promise.all(Array.from({ length: 40 }, () => call(witnessed, 'POST', '/v1/auth/login', { body: '{}' })));
    const refused = answers.filter(({ status }) => status === 429);
    assert.ok(refused.length >= 10 && refused.length < 40, `${refused.length} refused`);
    assertRefused(refused[0], 429, 'rate_limited');
    assert.ok(Number(refused[0].headers['retry-after']) > 0);
    assert.equal((await call(witnessed, 'GET', PATH)).status, 204, 'other calls go on');
  });

  test('that no Sluice answers', async () => {
    await witness.close();
    const answer = await call(witnessed, 'GET', PATH);
    assertRefused(answer, 503, 'busy');
    assert.ok(Number(answer.headers['retry-after']) > 0);
  });
});
