// What a careless or hostile client sends, and the answer that tells it what is wrong.

import assert from 'node:assert/strict';
import { before, describe, test } from 'node:test';
import { randomUUID } from 'node:crypto';
import { assertRefused, onSocket, send } from '../support/raw.mjs';
import { base, workspace } from '../support/stack.mjs';

const BODY_BYTES_MAX = 64 * 1024;
const FRONTEND = 'https://app.example.com'; // the origin that tests/api/run allows
let space;
let bearer;
before(async () => {
  space = await workspace();
  bearer = `Bearer ${space.person.bearer}`;
});

/** A POST that makes an API key, with this body as it is. */
function post(body, headers = {}) {
  return send('POST', `${space.at}/api-keys`, {
    headers: {
      authorization: bearer,
      'content-type': 'application/json',
      'idempotency-key': randomUUID(),
      ...headers,
    },
    body,
  });
}
const get = (path, headers = {}) =>
  send('GET', path, { headers: { authorization: bearer, ...headers } });

describe('a body', () => {
  const malformed = {
    'cut off': '{"name": "a", "role": ',
    'that is not JSON': 'name=a&role=viewer',
    'with something behind it': '{"name":"a","role":"viewer"} {}',
    'with a comment': '{"name":"a", /* no */ "role":"viewer"}',
    'with a single quote': "{'name':'a'}",
    'with a byte that is no UTF-8': Buffer.from([0x7b, 0x22, 0xff, 0x22, 0x3a, 0x31, 0x7d]),
    'with a lone surrogate': '{"name":"\\ud800","role":"viewer"}',
    'with a NUL in a text': '{"name":"a\\u0000b","role":"viewer"}',
    'as deep as a well': `${'['.repeat(5000)}${']'.repeat(5000)}`,
    'with a number that is none': '{"name":NaN}',
  };
  for (const [what, body] of Object.entries(malformed)) {
    test(`${what} is refused and nothing is made`, async () => {
      const answer = await post(body);
      assert.ok([400, 422].includes(answer.status), `${answer.status}`);
      assertRefused(answer, answer.status);
    });
  }

  const wrong = {
    'with a field that nobody knows': [
      '{"name":"a","role":"viewer","admin":true}',
      'field_unknown',
      'admin',
    ],
    'with a field twice': [
      '{"name":"a","role":"viewer","role":"admin"}',
      'field_duplicate',
      'role',
    ],
    'without a field that is needed': ['{"name":"a"}', 'field_missing', 'role'],
    'with a number for a text': ['{"name":7,"role":"viewer"}', 'field_invalid', 'name'],
    'with null for a text': ['{"name":null,"role":"viewer"}', 'field_invalid', 'name'],
    'with an object for a word': ['{"name":"a","role":{}}', 'field_invalid', 'role'],
    'with a word that is none': ['{"name":"a","role":"Viewer"}', 'field_invalid', 'role'],
    'with a time that is none': [
      '{"name":"a","role":"viewer","expires_at":"tomorrow"}',
      'field_invalid',
      'expires_at',
    ],
    'with a line break in a name': ['{"name":"a\\nb","role":"viewer"}', 'field_invalid', 'name'],
    'of blanks for a name': ['{"name":"   ","role":"viewer"}', 'field_invalid', 'name'],
  };
  for (const [what, [body, code, field]] of Object.entries(wrong)) {
    test(`${what} is 422 and the field is named`, async () => {
      assertRefused(await post(body), 422, code, field);
    });
  }

  test('that is a list or a number is no body of ours', async () => {
    for (const body of ['[]', '7', '"text"', 'null']) {
      const answer = await post(body);
      assert.ok([400, 422].includes(answer.status), `${body}: ${answer.status}`);
      assertRefused(answer, answer.status);
    }
  });

  test('names a field deep inside by its path', async () => {
    const answer = await send('POST', `${space.at}/integrations`, {
      headers: {
        authorization: bearer,
        'content-type': 'application/json',
        'idempotency-key': randomUUID(),
      },
      body: JSON.stringify({
        name: 'a',
        source_connection_id: space.id,
        target_connection_id: space.id,
        settings: { thresholds: { flow: 1.5, hold: 0.5 } },
      }),
    });
    assertRefused(answer, 422, 'field_invalid', 'settings.thresholds.flow');
  });

  test('larger than the call takes is 413 and says the limit', async () => {
    const answer = await post(JSON.stringify({ name: 'x'.repeat(BODY_BYTES_MAX), role: 'viewer' }));
    assertRefused(answer, 413, 'body_too_large');
    assert.equal(answer.body.limit, BODY_BYTES_MAX);
  });

  test('of another media type is 415', async () => {
    for (const type of ['text/plain', 'application/x-www-form-urlencoded', 'multipart/form-data']) {
      assertRefused(
        await post('{"name":"a","role":"viewer"}', { 'content-type': type }),
        415,
        'media_type_unsupported',
      );
    }
    const charset = await post('{"name":"utf-8","role":"viewer"}', {
      'content-type': 'application/json; charset=utf-8',
    });
    assert.equal(charset.status, 201);
  });

  test('none of these made a key', async () => {
    const names = (await space.person.all(`${space.at}/api-keys`)).map(({ name }) => name).sort();
    assert.deepEqual(names, ['story', 'utf-8']);
  });
});

describe('a query', () => {
  const refused = {
    'with a limit of 0': ['limit=0', 'parameter_invalid', 'limit'],
    'with a limit of 101': ['limit=101', 'parameter_invalid', 'limit'],
    'with a limit in words': ['limit=ten', 'parameter_invalid', 'limit'],
    'with a limit twice': ['limit=1&limit=2', null, null],
    'with a cursor that nobody gave out': ['cursor=aGVsbG8', 'cursor_invalid', null],
    'with a parameter that nobody reads': ['limmit=5', 'parameter_invalid', 'limmit'],
    'with a day that is none': ['date_from=2026-02-30', 'parameter_invalid', 'date_from'],
    'with a state that is none': ['state=lost', 'parameter_invalid', 'state'],
    'with an id that is none': ['integration_id=7', 'parameter_invalid', 'integration_id'],
    'with an amount without a currency': ['amount_min=5', 'parameter_invalid', null],
  };
  for (const [what, [query, code, field]] of Object.entries(refused)) {
    test(`${what} is 400`, async () => {
      assertRefused(await get(`${space.at}/items?${query}`), 400, code, field);
    });
  }

  test('a cursor of another list or other filters is 400', async () => {
    await post('{"name":"second","role":"viewer"}');
    const { next_cursor: cursor } = await space.api.get(`${space.at}/api-keys?limit=1`);
    assert.ok(cursor);
    assertRefused(
      await get(`${space.at}/items?cursor=${encodeURIComponent(cursor)}`),
      400,
      'cursor_invalid',
    );
    assertRefused(
      await get(`${space.at}/api-keys?cursor=${encodeURIComponent(`${cursor}x`)}`),
      400,
      'cursor_invalid',
    );
  });

  test('of a call that reads none is refused, so that a misspelt one is noticed', async () => {
    assertRefused(await get(`${space.at}?expand=all`), 400, 'parameter_invalid', 'expand');
  });
});

describe('a path', () => {
  test('that nobody serves is 404', async () => {
    for (const path of [
      '/',
      '/v1',
      '/v1/nothing',
      '/v2/workspaces',
      '/v1/workspaces/',
      '//v1/me',
    ]) {
      assertRefused(await get(path), 404, 'not_found');
    }
  });

  test('with an id that is none is 404, exactly as an unknown one', async () => {
    const unknown = await get(`${space.at}/items/${randomUUID()}`);
    assertRefused(unknown, 404, 'not_found');
    for (const id of ['7', 'null', '%00', `${space.id}x`, '..%2f..%2fhealthz']) {
      assertRefused(await get(`${space.at}/items/${id}`), 404, 'not_found');
    }
  });

  test('with another method is 405 and names the methods that it takes', async () => {
    const answer = await send('DELETE', '/v1/workspaces', { headers: { authorization: bearer } });
    assertRefused(answer, 405, 'method_not_allowed');
    const allowed = answer.headers.get('allow').split(', ').sort();
    assert.deepEqual(allowed, ['GET', 'HEAD', 'OPTIONS', 'POST']);
  });

  test('answers HEAD as GET without its body', async () => {
    const { hostname, port } = new URL(base);
    const answer = await onSocket(
      `HEAD /v1/providers HTTP/1.1\r\nHost: ${hostname}:${port}\r\nConnection: close\r\n\r\n`,
    );
    assert.equal(answer.status, 200);
    assert.match(answer.text, /content-type: application\/json/i);
    assert.ok(answer.text.endsWith('\r\n\r\n'), 'a body came with HEAD');
  });
});

describe('framing', () => {
  const head = (more) =>
    [
      `POST ${space.at}/api-keys HTTP/1.1`,
      'Host: localhost',
      `Authorization: ${bearer}`,
      'Content-Type: application/json',
      `Idempotency-Key: ${randomUUID()}`,
      ...more,
      '',
      '',
    ].join('\r\n');
  const smuggled = 'GET /v1/providers HTTP/1.1\r\nHost: localhost\r\n\r\n';

  test('a chunked body is 411 and the connection ends', async () => {
    const answer = await onSocket(
      `${head(['Transfer-Encoding: chunked'])}1b\r\n{"name":"a","role":"viewer"}\r\n0\r\n\r\n${smuggled}`,
    );
    assert.equal(answer.status, 411);
    assert.doesNotMatch(answer.text, /HTTP\/1\.1 2/, 'a second request was answered');
  });

  test('two lengths, a length with an encoding, two hosts or two credentials are refused', async () => {
    const body = '{"name":"a","role":"viewer"}';
    const doubtful = [
      [`Content-Length: ${body.length}`, 'Content-Length: 2'],
      [`Content-Length: ${body.length}`, 'Transfer-Encoding: chunked'],
      [`Content-Length: ${body.length}`, 'Host: example.com'],
      [`Content-Length: ${body.length}`, 'Authorization: Bearer other'],
      [`Content-Length: ${body.length}`, `Idempotency-Key: ${randomUUID()}`],
      ['Content-Length: -1'],
      ['Content-Length: 1e2'],
    ];
    for (const fields of doubtful) {
      const answer = await onSocket(`${head(fields)}${body}${smuggled}`);
      assert.ok([400, 411, 413].includes(answer.status), `${fields}: ${answer.text.slice(0, 200)}`);
      assert.doesNotMatch(answer.text, /HTTP\/1\.1 2/, `${fields}: a second request was answered`);
    }
  });

  test('headers larger than we take are refused', async () => {
    const answer = await onSocket(head([`X-Long: ${'x'.repeat(64 * 1024)}`, 'Content-Length: 0']));
    assert.ok([431, 413, 400].includes(answer.status), answer.text.slice(0, 100));
  });
});

describe('a browser', () => {
  const from = (origin, path = '/v1/providers') => send('GET', path, { headers: { origin } });

  test('of an allowed frontend may read, any other may not', async () => {
    const allowed = await from(FRONTEND);
    assert.equal(allowed.headers.get('access-control-allow-origin'), FRONTEND);
    assert.match(allowed.headers.get('access-control-expose-headers'), /ETag/i);
    assert.equal(allowed.headers.get('access-control-allow-credentials'), null);
    const other = await from('https://evil.example');
    assert.equal(other.headers.get('access-control-allow-origin'), null);
    assert.match(other.headers.get('vary'), /Origin/i);
  });

  test('asks before it writes', async () => {
    const answer = await send('OPTIONS', '/v1/workspaces', {
      headers: {
        origin: FRONTEND,
        'access-control-request-method': 'POST',
        'access-control-request-headers': 'authorization, idempotency-key',
      },
    });
    assert.equal(answer.status, 204);
    assert.equal(answer.headers.get('access-control-allow-origin'), FRONTEND);
    assert.match(answer.headers.get('access-control-allow-methods'), /POST/);
    assert.match(answer.headers.get('access-control-allow-headers'), /Idempotency-Key/i);
  });

  test('sees the refusals of an allowed frontend, too', async () => {
    const refused = await from(FRONTEND, '/v1/me');
    assertRefused(refused, 401, 'unauthenticated');
    assert.equal(refused.headers.get('access-control-allow-origin'), FRONTEND);
  });

  test('is told to keep nothing and to guess nothing', async () => {
    const { headers } = await get(space.at);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
  });
});

describe('a request id', () => {
  test('of the caller comes back where it is a UUID, and ours otherwise', async () => {
    const id = randomUUID();
    const mine = await get('/v1/nothing', { 'x-request-id': id });
    assert.equal(mine.body.request_id, id);
    assert.equal(mine.headers.get('x-request-id'), id);
    const forged = await get('/v1/nothing', { 'x-request-id': 'x"}\tforged' });
    assert.match(forged.body.request_id, /^[0-9a-f-]{36}$/);
  });
});
