// Signing in, staying signed in, and what becomes of somebody who found a token in the street.

import assert from 'node:assert/strict';
import { spawnSync } from 'node:child_process';
import { createHash, createHmac, randomUUID } from 'node:crypto';
import { readFileSync, writeFileSync } from 'node:fs';
import { join } from 'node:path';
import { before, describe, test } from 'node:test';
import { assertRefused } from '../support/raw.mjs';
import { anybody, directory, join as joinAs, PHRASE, workspace } from '../support/stack.mjs';

const email = 'operator@example.com';
const password = readFileSync(join(directory, 'keys/operator-password'), 'utf8').trim();
const ACCESS_LIFETIME_S = 15 * 60;
const FAILURES_MAX = 10;

const login = (body) => anybody.call('POST', '/v1/auth/login', { body, key: null });
const refresh = (token) =>
  anybody.call('POST', '/v1/auth/refresh', { body: { refresh_token: token }, key: null });
const logout = (token) =>
  anybody.call('POST', '/v1/auth/logout', { body: { refresh_token: token }, key: null });
const sluice = (...words) =>
  spawnSync(process.env.SLUICE_PROGRAM, [...words, '--config', join(directory, 'sluice.yaml')], {
    encoding: 'utf8',
  });
const me = (token) => anybody.as(token).call('GET', '/v1/me');

async function signedIn() {
  const answer = await login({ email, password });
  assert.equal(answer.status, 200);
  return answer.body;
}

describe('signing in', () => {
  test('gives an access token that says who I am', async () => {
    const session = await signedIn();
    const { status, body } = await me(session.access_token);
    assert.equal(status, 200);
    assert.equal(body.user.email, email);
    assert.equal(body.user.operator, true);
    assert.equal(session.expires_in, ACCESS_LIFETIME_S);
  });

  test('takes the address in any case of letters', async () => {
    assert.equal((await login({ email: 'Operator@Example.COM', password })).status, 200);
  });

  test('does not tell a wrong password from an unknown person', async () => {
    const wrong = await login({ email, password: 'not the password' });
    const unknown = await login({ email: 'nobody@example.com', password: 'not the password' });
    assertRefused(wrong, 401, 'login_refused');
    assertRefused(unknown, 401, 'login_refused');
    const telling = ({ request_id: ignored, ...rest }) => rest;
    assert.deepEqual(telling(wrong.body), telling(unknown.body));
  });

  test('names the field that is missing or too much', async () => {
    assertRefused(await login({ email }), 422, 'field_missing', 'password');
    assertRefused(await login({ email, password, admin: true }), 422, 'field_unknown', 'admin');
  });

  test('is slowed down after many failures, for the address that was tried', async () => {
    const tried = `guess-${randomUUID()}@example.com`;
    for (let i = 0; i < FAILURES_MAX; i += 1) {
      assertRefused(await login({ email: tried, password: `guess ${i}` }), 401, 'login_refused');
    }
    const slowed = await login({ email: tried, password: 'one more guess' });
    assertRefused(slowed, 429, 'rate_limited');
    assert.ok(Number(slowed.headers.get('retry-after')) > 0);
    assert.equal((await login({ email, password })).status, 200, 'others may still sign in');
  });
});

describe('staying signed in', () => {
  test('a refresh token works once and brings the next', async () => {
    const first = await signedIn();
    const second = await refresh(first.refresh_token);
    assert.equal(second.status, 200);
    assert.notEqual(second.body.refresh_token, first.refresh_token);
    assert.equal((await me(second.body.access_token)).status, 200);
    assert.equal((await refresh(second.body.refresh_token)).status, 200);
  });

  test('using an old one again ends the whole session', async () => {
    const first = await signedIn();
    const second = (await refresh(first.refresh_token)).body;
    assertRefused(await refresh(first.refresh_token), 401, 'unauthenticated');
    assertRefused(await refresh(second.refresh_token), 401, 'unauthenticated');
  });

  test('ends with logout, which says the same to everybody', async () => {
    const session = await signedIn();
    assert.equal((await logout(session.refresh_token)).status, 204);
    assert.equal((await logout(session.refresh_token)).status, 204);
    assert.equal((await logout('no such token')).status, 204);
    assertRefused(await refresh(session.refresh_token), 401, 'unauthenticated');
  });

  test('an API key is no person', async () => {
    const space = await workspace();
    assertRefused(await space.api.call('GET', '/v1/me'), 403, 'forbidden');
    assertRefused(await refresh(space.key.key), 401, 'unauthenticated');
  });
});

describe('a new password', () => {
  const fresh = 'seven slow clouds drift west';
  const change = (person, current, next, options) =>
    person.api.call('POST', '/v1/me/password', {
      body: { current_password: current, password: next },
      ...options,
    });

  test('opens, the old one does not, and every session has ended', async () => {
    const person = await joinAs(await workspace(), 'viewer');
    const before = (await login({ email: person.email, password: PHRASE })).body;
    const changed = await change(person, PHRASE, fresh);
    assert.equal(changed.status, 200);
    assertRefused(await refresh(before.refresh_token), 401, 'unauthenticated');
    assertRefused(await login({ email: person.email, password: PHRASE }), 401, 'login_refused');
    assert.equal((await login({ email: person.email, password: fresh })).status, 200);
    assert.equal((await me(changed.body.access_token)).body.user.email, person.email);
    assert.equal((await refresh(changed.body.refresh_token)).status, 200);
  });

  test('needs the present one, and is not one that everybody tries first', async () => {
    const person = await joinAs(await workspace(), 'viewer');
    const session = (await login({ email: person.email, password: PHRASE })).body;
    assertRefused(await change(person, 'not the password', fresh), 401, 'login_refused');
    assertRefused(await change(person, PHRASE, 'short'), 422, 'field_invalid', 'password');
    assertRefused(await change(person, PHRASE, 'passwordpassword'), 422, 'field_invalid', 'password');
    assert.equal((await login({ email: person.email, password: PHRASE })).status, 200);
    assert.equal((await refresh(session.refresh_token)).status, 200, 'nobody was signed out');
  });

  test('is told once: a repeat of the call does not get the tokens again', async () => {
    const person = await joinAs(await workspace(), 'viewer');
    const key = `password-${person.id}`;
    assert.equal((await change(person, PHRASE, fresh, { key })).status, 200);
    assertRefused(await change(person, PHRASE, fresh, { key }), 409, 'idempotency_secret');
  });

  test('set by the operator of the installation ends the sessions as well', async () => {
    const person = await joinAs(await workspace(), 'viewer');
    const session = (await login({ email: person.email, password: PHRASE })).body;
    const file = join(directory, `password-${person.id}`);
    writeFileSync(file, `${fresh}\n`, { mode: 0o600 });
    const set = (email) =>
      sluice('operator', 'password', '--email', email, '--password-file', file);
    const unknown = set('nobody@example.com');
    assert.notEqual(unknown.status, 0);
    assert.match(unknown.stderr, /no person with that address/);
    assert.equal(set(person.email).status, 0);
    assertRefused(await refresh(session.refresh_token), 401, 'unauthenticated');
    assert.equal((await login({ email: person.email, password: fresh })).status, 200);
  });
});

describe('an access token', () => {
  const key = Buffer.from(readFileSync(join(directory, 'keys/token'), 'utf8').trim(), 'base64url');
  const encode = (value) => Buffer.from(JSON.stringify(value)).toString('base64url');
  const decode = (part) => JSON.parse(Buffer.from(part, 'base64url'));
  const sign = (header, claims, { secret = key, hash = 'sha256' } = {}) => {
    const head = `${encode(header)}.${encode(claims)}`;
    return `${head}.${createHmac(hash, secret).update(head).digest('base64url')}`;
  };
  let header;
  let claims;
  let token;

  before(async () => {
    token = (await signedIn()).access_token;
    [header, claims] = token.split('.').slice(0, 2).map(decode);
  });

  test('signed again with our own key passes: the forgeries below fail for their own reason', async () => {
    assert.equal(header.kid, createHash('sha256').update(key).digest('hex').slice(0, 8));
    assert.equal((await me(sign(header, claims))).status, 200);
  });

  const forgeries = {
    'whose signature was changed': () => `${token.slice(0, -4)}AAAA`,
    'whose claims were changed': () => {
      const [head, , signature] = token.split('.');
      return `${head}.${encode({ ...claims, sub: randomUUID() })}.${signature}`;
    },
    'without a signature, "alg": "none"': () =>
      `${encode({ ...header, alg: 'none' })}.${encode(claims)}.`,
    'signed by another algorithm': () =>
      sign({ ...header, alg: 'HS512' }, claims, { hash: 'sha512' }),
    'that names another algorithm than it used': () => sign({ ...header, alg: 'RS256' }, claims),
    'signed with an empty key': () => sign(header, claims, { secret: '' }),
    'of a key that nobody has': () => sign({ ...header, kid: 'other' }, claims),
    'that names no key': () => sign({ ...header, kid: undefined }, claims),
    'that has expired': () =>
      sign(header, { ...claims, exp: claims.iat - 1, iat: claims.iat - 901 }),
    'that never expires': () => sign(header, { ...claims, exp: undefined }),
    'of tomorrow': () =>
      sign(header, { ...claims, iat: claims.iat + 86400, exp: claims.exp + 86400 }),
    'of another issuer': () => sign(header, { ...claims, iss: 'somebody' }),
    'for another audience': () => sign(header, { ...claims, aud: 'another-api' }),
    'for nobody': () => sign(header, { ...claims, sub: undefined }),
    'cut in half': () => token.slice(0, token.length / 2),
  };
  for (const [what, forge] of Object.entries(forgeries)) {
    test(`${what} is refused`, async () => {
      const answer = await me(forge());
      assertRefused(answer, 401, 'unauthenticated');
      assert.match(answer.headers.get('www-authenticate') ?? '', /^Bearer/);
    });
  }

  test('of somebody who is no operator does not become one by a claim', async () => {
    const space = await workspace();
    const clerk = await joinAs(space, 'viewer');
    const [head, body] = clerk.api.bearer.split('.').slice(0, 2).map(decode);
    const raised = sign(head, { ...body, operator: true });
    assert.equal((await me(raised)).status, 200, 'the signature itself is right');
    assertRefused(await anybody.as(raised).call('GET', '/admin/v1/workers'), 403, 'forbidden');
  });

  test('is asked for in words', async () => {
    const answer = await anybody.call('GET', '/v1/me');
    assertRefused(answer, 401, 'unauthenticated');
  });
});
