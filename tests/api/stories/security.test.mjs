// What somebody would try who wants in: guessing by a side door, values that mean "nothing" inside,
// addresses that read differently to us and to a browser, and other workspaces' ids in bodies.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { readFileSync } from 'node:fs';
import { join as pathOf } from 'node:path';
import { before, describe, test } from 'node:test';
import { Browser, formOf } from '../../../deploy/local/demo/api.mjs';
import { assertRefused, send } from '../support/raw.mjs';
import { PHRASE, anybody, control, directory, join, workspace } from '../support/stack.mjs';

const FAILURES_MAX = 10;
const NIL = '00000000-0000-0000-0000-000000000000';
const EPOCH = '1970-01-01T00:00:00Z';
let space;
let other;

before(async () => {
  space = await workspace();
  other = await workspace();
});

const login = (email, password) => (
  anybody.call('POST', '/v1/auth/login', { body: { email, password }, key: null }));

describe('passwords', () => {
  test('cannot be guessed by inviting the account again and again', async () => {
    const { email } = await join(space, 'viewer');
    const guesses = [];
    for (let round = 0; round < 2; round += 1) {
      const { token } = await other.person.expect(201, 'POST', `${other.at}/invitations`, {
        body: { email, role: 'viewer' },
      });
      for (let i = 0; i < FAILURES_MAX - 1; i += 1) {
        const { status } = await anybody.call('POST', '/v1/invitations/accept', {
          body: { token, name: 'Somebody', password: `wrong guess ${round} ${i}` }, key: null,
        });
        guesses.push(status);
      }
    }
    assert.deepEqual(guesses.slice(0, FAILURES_MAX), Array(FAILURES_MAX).fill(401));
    assert.deepEqual(new Set(guesses.slice(FAILURES_MAX)), new Set([429]));
    assertRefused(await login(email, PHRASE), 429, 'rate_limited');
  });

  test('are not quoted where a body is no JSON, neither in the answer nor in the log', async () => {
    const phrase = `Zq${randomUUID().slice(0, 6)}`;
    for (const body of [`{"password":${phrase}}`, `{"password":"${phrase}\\s"}`]) {
      const answer = await send('POST', '/v1/auth/login', { headers: { 'content-type': 'application/json' }, body });
      assertRefused(answer, 400, 'json_malformed');
      assert.doesNotMatch(JSON.stringify(answer.body), new RegExp(phrase.slice(0, 4)));
    }
    assert.doesNotMatch(readFileSync(pathOf(directory, 'sluice.log'), 'utf8'), new RegExp(phrase.slice(0, 4)));
  });
});

describe('values that stand for nothing inside', () => {
  test('a key that expires at the epoch is refused, not made to last for ever', async () => {
    assertRefused(await space.person.call('POST', `${space.at}/api-keys`, {
      body: { name: 'late', role: 'viewer', expires_at: EPOCH },
    }), 422, 'field_invalid', 'expires_at');
  });

  test('the nil UUID is no id: it approves, pins and filters nothing', async () => {
    const item = `${space.at}/review/${randomUUID()}`;
    for (const [path, body, field] of [
      [`${item}/approve`, { candidate: NIL }, 'candidate'],
      [`${item}/pin`, { ledger_entry_id: NIL }, 'ledger_entry_id'],
      [`${item}/assign`, { user_id: NIL }, 'user_id'],
    ])
      assertRefused(await space.api.call('POST', path, { body }), 422, 'field_invalid', field);
    const listed = await space.api.call('GET', `${space.at}/items?integration_id=${NIL}`);
    assertRefused(listed, 400, 'parameter_invalid', 'integration_id');
  });

  test('a folder of the list of time zones is no time zone', async () => {
    assertRefused(await space.person.call('POST', '/v1/workspaces', {
      body: { name: 'Somewhere', region: 'local', time_zone: 'Europe' },
    }), 422, 'field_invalid', 'time_zone');
  });
});

describe('addresses to come back to', () => {
  const ask = (return_url) => space.api.call('POST', `${space.at}/connections`, {
    body: { provider: 'stripe', role: 'source', return_url },
  });

  test('are those of the allowed origin, however they are written', async () => {
    for (const url of [
      'https://app.example.com.evil.example/', 'https://evil.example/https://app.example.com',
      'https://app.example.com@evil.example/', 'https://app.example.com:443@evil.example/',
      'https://evil.example\\.app.example.com/', 'https://app.example.com\\@evil.example/',
      'https://evil.example#.app.example.com', 'https://app.example.com:8443/',
      'http://app.example.com/', 'javascript://app.example.com/%0aalert(1)', '//app.example.com/',
      'https:evil.example', 'https://app.example.com%2eevil.example/', '/done',
    ]) {
      const answer = await ask(url);
      assertRefused(answer, 422, 'field_invalid', 'return_url');
    }
    const good = await ask('https://APP.example.com:443/done?a=b');
    assert.equal(good.status, 201);
    await space.api.expect(200, 'DELETE', `${space.at}/connections/${good.body.id}`);
  });
});

describe('ids of another workspace', () => {
  const asked = (of, provider, role) => (
    of.api.expect(201, 'POST', `${of.at}/connections`, { body: { provider, role } }));

  test('make no integration', async () => {
    const mine = await asked(space, 'stripe', 'source');
    const theirs = await asked(other, 'qonto', 'target');
    assertRefused(await space.api.call('POST', `${space.at}/integrations`, {
      body: { name: 'Across', source_connection_id: mine.id, target_connection_id: theirs.id },
    }), 422, 'field_invalid', 'target_connection_id');
    await space.api.expect(200, 'DELETE', `${space.at}/connections/${mine.id}`);
    await other.api.expect(200, 'DELETE', `${other.at}/connections/${theirs.id}`);
  });

  test('and its cursors continue no list of ours', async () => {
    await asked(other, 'stripe', 'source');
    await asked(other, 'stripe', 'source');
    const { next_cursor: cursor } = await other.api.get(`${other.at}/connections?limit=1`);
    assert.ok(cursor);
    const next = `connections?limit=1&cursor=${encodeURIComponent(cursor)}`;
    assertRefused(await space.api.call('GET', `${space.at}/${next}`), 400, 'cursor_invalid');
    assertRefused(await other.api.call('GET', `${other.at}/${next}&provider=stripe`), 400, 'cursor_invalid');
  });
});

describe('a provider that keeps everybody waiting', () => {
  const VISITORS = 8; // twice the request threads
  const SILENCE_MS = 2500;

  test('holds up those who go to it, and nobody else', async () => {
    const links = [];
    for (let i = 0; i < VISITORS; i += 1) {
      const { authorize_url: link } = await space.api.expect(201, 'POST', `${space.at}/connections`, {
        body: { provider: 'stripe', role: 'source' },
      });
      links.push(link);
    }
    await control.fault({
      provider: 'stripe', match: { method: 'POST', path: '/' }, kind: 'slow', params: { ms: SILENCE_MS },
      times: VISITORS,
    });
    const asking = await Promise.all(links.map(async (link) => {
      const browser = new Browser();
      const { action, fields } = formOf((await browser.open(link)).text);
      return async () => (await browser.visit(action, fields)).answer;
    }));
    const visits = asking.map((press) => press());
    await new Promise((resolve) => { setTimeout(resolve, 300); });
    const begun = performance.now();
    assert.equal((await space.api.call('GET', space.at)).status, 200);
    assert.ok(performance.now() - begun < SILENCE_MS / 2);
    const answers = await Promise.all(visits);
    const turnedAway = answers.findIndex(({ status }) => status === 503);
    assert.ok(turnedAway >= 0);
    assert.ok(answers.some(({ status }) => status === 303));
    assert.ok(Number(answers[turnedAway].headers.get('retry-after')) > 0);
    await control.delete('/control/faults');
    const again = await asking[turnedAway]();
    assert.equal(again.status, 303, 'its link was not spent');
  });
});
