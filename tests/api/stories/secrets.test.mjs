// After everything else: no secret of anybody is in the logs, in the databases or in an answer.

import assert from 'node:assert/strict';
import { readdirSync, readFileSync } from 'node:fs';
import { join as pathOf } from 'node:path';
import { before, describe, test } from 'node:test';
import { Browser } from '../../../deploy/local/demo/api.mjs';
import { dump, psql } from '../support/installation.mjs';
import { control, directory, PHRASE, repliesFile, workspace } from '../support/stack.mjs';

const SHORTEST = 12;
/** Answers that tell a secret of ours, once, to the one whom it is for. */
const TELLING = [
  ['POST', /^\/v1\/auth\/(login|refresh)$/, ['access_token', 'refresh_token']],
  ['POST', /^\/v1\/me\/password$/, ['access_token', 'refresh_token']],
  ['POST', /^\/v1\/workspaces\/[^/]+\/api-keys$/, ['key']],
  ['POST', /^\/v1\/workspaces\/[^/]+\/invitations$/, ['token']],
  ['POST', /^\/v1\/workspaces\/[^/]+\/connections(\/[^/]+\/reconnect)?$/, ['authorize_url']],
];

const tellingOf = ({ method, path }) =>
  TELLING.find(([verb, pattern]) => verb === method && pattern.test(path.split('?')[0]))?.[2] ?? [];

/** Every file below the stack whose name ends in .log. */
function logs(folder = directory) {
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = pathOf(folder, entry.name);
    if (entry.isDirectory() && entry.name !== 'data') return logs(path);
    return entry.name.endsWith('.log') ? [path] : [];
  });
}

/** The forms in which a text may stand in a dump or a log. */
function formsOf(value) {
  const bytes = Buffer.from(value);
  return [
    bytes,
    Buffer.from(encodeURIComponent(value)),
    Buffer.from(bytes.toString('hex')),
    Buffer.from(bytes.toString('base64').replace(/.{0,2}=*$/, '')),
  ];
}

let providerSecrets;
let ownSecrets;
let passing; // what travelled through a browser: codes, states, attempts, cookies
let replies;

/** Walks an authorisation and keeps all that passes through the browser. */
class WatchingBrowser extends Browser {
  seen = [];

  async visit(url, form) {
    const { pathname, searchParams } = new URL(url);
    for (const name of ['attempt', 'state', 'code']) {
      const value = searchParams.get(name);
      if (value) this.seen.push({ kind: name, value });
    }
    const visited = await super.visit(url, form);
    for (const line of visited.answer.headers.getSetCookie()) {
      const value = line.split(';')[0].split('=').slice(1).join('=');
      if (pathname.startsWith('/oauth/') && value) this.seen.push({ kind: 'cookie', value });
    }
    return visited;
  }
}

before(async () => {
  const space = await workspace();
  passing = [];
  for (const [provider, role] of [
    ['stripe', 'source'],
    ['qonto', 'target'],
  ]) {
    const asked = await space.api.expect(201, 'POST', `${space.at}/connections`, {
      body: { provider, role },
    });
    const browser = new WatchingBrowser();
    assert.equal((await browser.authorise(asked.authorize_url)).status, 200);
    passing.push(...browser.seen);
  }
  ({ secrets: providerSecrets } = await control.get('/control/secrets'));
  replies = readFileSync(repliesFile, 'utf8')
    .split('\n')
    .filter(Boolean)
    .map((line) => JSON.parse(line));
  const told = replies
    .flatMap((reply) => tellingOf(reply).map((name) => ({ kind: name, reply, name })))
    .filter(({ reply }) => reply.status < 300)
    .map(({ kind, reply, name }) => ({ kind, value: JSON.parse(reply.text)[name] }))
    .filter(({ value }) => value)
    .map(({ kind, value }) =>
      kind === 'authorize_url'
        ? { kind: 'attempt', value: new URL(value).searchParams.get('attempt') }
        : { kind, value },
    );
  const keys = ['region', 'token', 'operator-password'].map((name) => ({
    kind: name,
    value: readFileSync(pathOf(directory, 'keys', name), 'utf8').trim(),
  }));
  ownSecrets = [...told, ...keys, { kind: 'password', value: PHRASE }];
});

/** Which of these secrets stand in these bytes. */
function found(bytes, secrets) {
  return secrets
    .filter(({ value }) => formsOf(value).some((form) => bytes.includes(form)))
    .map(({ kind }) => kind);
}

describe('the whole run', () => {
  test('had secrets of every sort, long enough to be told from other text', () => {
    const kinds = new Set([...providerSecrets, ...ownSecrets, ...passing].map(({ kind }) => kind));
    for (const kind of [
      'stripe.AccessToken',
      'stripe.RefreshToken',
      'qonto access token',
      'qonto refresh token',
      'qonto client secret',
      'qonto authorization code',
      'key',
      'refresh_token',
      'access_token',
      'state',
      'code',
      'attempt',
      'cookie',
    ]) {
      assert.ok(kinds.has(kind), `${kind} is not among ${[...kinds].join(', ')}`);
    }
    const all = [...providerSecrets, ...ownSecrets, ...passing];
    assert.deepEqual(
      all.filter(({ value }) => value.length < SHORTEST),
      [],
    );
  });

  test('left none of them in a log', () => {
    const files = logs();
    assert.ok(files.some((path) => path.endsWith('sluice.log')));
    for (const path of files.filter((name) => !name.endsWith('simulators.log'))) {
      const bytes = readFileSync(path);
      assert.deepEqual(found(bytes, [...providerSecrets, ...ownSecrets, ...passing]), [], path);
    }
  });

  test('left none of them in a database', () => {
    const databases = psql(
      'postgres',
      "SELECT datname FROM pg_database WHERE NOT datistemplate AND datname <> 'postgres'",
    )
      .trim()
      .split('\n');
    assert.ok(databases.includes('sluice'));
    const all = [...providerSecrets, ...ownSecrets, ...passing];
    for (const database of databases) {
      const bytes = dump(database);
      assert.ok(bytes.length > 10_000, `${database} is empty`);
      assert.deepEqual(found(bytes, all), [], database);
    }
  });

  test('told none of them in an answer, but its own to whom it is for, once', () => {
    const others = replies.map((reply) => {
      // The page behind a link sends back what whoever opened it came with.
      if (/^\/oauth\/\w+\/start$/.test(reply.path))
        return reply.text.replace(/name="attempt" value="[^"]+"/, '');
      const telling = tellingOf(reply);
      if (telling.length === 0 || reply.status >= 300) return reply.text;
      const body = JSON.parse(reply.text);
      for (const name of telling) delete body[name];
      return JSON.stringify(body);
    });
    const bytes = Buffer.from(others.join('\n'));
    assert.deepEqual(found(bytes, [...providerSecrets, ...ownSecrets]), []);
  });

  test('would have been noticed: each place is searched with what is surely there', () => {
    const [{ value }] = providerSecrets.filter(({ kind }) => kind === 'qonto client secret');
    const here = (text) => found(Buffer.from(text), [{ kind: 'there', value }]);
    assert.deepEqual(here(`before ${value} behind`), ['there']);
    assert.deepEqual(here(`\\x00${Buffer.from(`${value}`).toString('hex')}ff`), ['there']);
    assert.deepEqual(here('nothing'), []);
    assert.ok(dump('sluice').includes('operator@example.com'));
    assert.ok(readFileSync(pathOf(directory, 'sluice.log')).includes('http.request'));
    assert.ok(replies.length > 10);
  });
});
