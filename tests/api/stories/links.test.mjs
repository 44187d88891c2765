// The link that begins an authorisation is sent about: by mail, in a chat, to the wrong person. Opening
// it says who asks for what and does nothing else; what comes back counts in the browser that went.

import assert from 'node:assert/strict';
import { after, before, describe, test } from 'node:test';
import { Browser, formOf } from '../../../deploy/local/demo/api.mjs';
import { settled } from '../../../deploy/local/demo/connect.mjs';
import { Installation, psql } from '../support/installation.mjs';
import { assertRefused } from '../support/raw.mjs';
import { anybody, base, join, observe, workspace } from '../support/stack.mjs';

const NAME = `Tom & "Jerry's" <b>Books</b>`;
let space;
before(async () => {
  space = await workspace({ name: NAME });
});

const browser = () => new Browser({ observe: (reply) => reply.origin === base && observe(reply) });
const ask = (api, at, provider = 'qonto', role = 'target') =>
  api.expect(201, 'POST', `${at}/connections`, { body: { provider, role } });
const look = (id) => space.api.get(`${space.at}/connections/${id}`);
const disconnect = (id) => space.api.expect(200, 'DELETE', `${space.at}/connections/${id}`);
const refusals = async (id) =>
  (await space.api.all(`${space.at}/audit?action=connection.authorisation_refused`)).filter(
    (entry) => entry.subject_id === id,
  );

describe('the page behind a link', () => {
  let asked;
  let page;
  before(async () => {
    asked = await ask(space.api, space.at, 'stripe', 'source');
    page = await browser().visit(asked.authorize_url);
  });
  after(() => disconnect(asked.id));

  test('says who asks, for which workspace, what will be read, and until when', () => {
    const text = page.bytes.toString('utf8');
    assert.equal(page.answer.status, 200);
    assert.match(text, /operator@example\.com/);
    assert.match(text, /API key “story”/);
    assert.match(text, /Stripe/);
    assert.match(text, /charges and refunds/);
    const until = asked.authorize_expires_at.slice(0, 16).replace('T', ' ');
    assert.ok(text.includes(`${until} UTC`), text);
  });

  test('shows a name as text, whatever is in it', () => {
    const text = page.bytes.toString('utf8');
    assert.ok(!text.includes('<b>'));
    assert.ok(text.includes('Tom &#38; &#34;Jerry&#39;s&#34; &#60;b&#62;Books&#60;/b&#62;'), text);
  });

  test('runs no script, stands in no frame, is kept by nobody and tells nobody where it was', () => {
    const { headers } = page.answer;
    const policy = headers.get('content-security-policy');
    assert.match(policy, /^default-src 'none';/);
    assert.doesNotMatch(policy, /script-src|unsafe/);
    assert.match(policy, /frame-ancestors 'none'/);
    assert.match(policy, /base-uri 'none'/);
    assert.equal(headers.get('cache-control'), 'no-store');
    assert.equal(headers.get('referrer-policy'), 'no-referrer');
    assert.equal(headers.get('x-content-type-options'), 'nosniff');
    assert.equal(headers.get('location'), null);
  });

  test('speaks the language of the workspace', async () => {
    const other = await workspace({ language: 'fr' });
    const link = await ask(other.person, other.at);
    const { text } = await browser().open(link.authorize_url);
    assert.match(text, /<html lang="fr">/);
    assert.match(text, /Continuer vers Qonto/);
    assert.doesNotMatch(text, /clé d’API/, 'a person asked without one');
  });

  test('does nothing by being opened: the link still works afterwards', async () => {
    await browser().open(asked.authorize_url);
    const walk = browser();
    assert.equal((await walk.authorise(asked.authorize_url)).status, 200);
    await settled({ api: space.api, at: space.at, id: asked.id });
  });
});

describe('its button', () => {
  test('cannot be pressed by a page of somebody else', async () => {
    const asked = await ask(space.api, space.at);
    const attacker = browser();
    const { action, fields } = formOf((await attacker.open(asked.authorize_url)).text);
    const victim = browser();
    assert.equal((await victim.visit(action, fields)).answer.status, 400, 'no page was shown');
    await victim.open(asked.authorize_url);
    assert.equal((await victim.visit(action, fields)).answer.status, 400, 'another page was shown');
    const answer = await anybody.call('POST', new URL(action).pathname, {
      body: Object.fromEntries(fields),
      key: null,
    });
    assert.equal(answer.status, 415, 'only a form presses it');
    assert.equal((await attacker.visit(action, fields)).answer.status, 303, 'nothing was spent');
    assert.equal((await attacker.visit(action, fields)).answer.status, 400, 'now it is');
    await disconnect(asked.id);
  });

  test('works in two tabs of one browser', async () => {
    const asked = await ask(space.api, space.at);
    const walk = browser();
    const { action, fields } = formOf((await walk.open(asked.authorize_url)).text);
    await walk.open(asked.authorize_url);
    assert.equal((await walk.visit(action, fields)).answer.status, 303);
    await disconnect(asked.id);
  });
});

describe('coming back in another browser', () => {
  test('binds nothing, is told to the workspace once, and ends the attempt', async () => {
    const asked = await ask(space.api, space.at);
    const sender = browser();
    const stopped = await sender.authorise(asked.authorize_url, { stopAt: /\/oauth\/qonto\/callback/ });
    assert.deepEqual(await refusals(asked.id), []);
    const page = await browser().open(stopped.url);
    assert.equal(page.status, 400);
    assert.match(page.text, /Nothing was connected/);
    await browser().open(stopped.url);
    const told = await refusals(asked.id);
    assert.deepEqual(told.map(({ detail }) => detail), [{ reason: 'other_browser' }]);
    assert.equal((await sender.open(stopped.url)).status, 400, 'the state has leaked');
    const connection = await look(asked.id);
    assert.equal(connection.state, 'to_configure');
    assert.equal(connection.account, null);
    await disconnect(asked.id);
  });
});

describe('a call that is repeated', () => {
  const again = (path, body, key) => space.api.call('POST', path, { body, key });

  test('tells the same link once more, and the database cannot', async () => {
    const path = `${space.at}/connections`;
    const first = await again(path, { provider: 'qonto', role: 'target' }, 'link-1');
    const second = await again(path, { provider: 'qonto', role: 'target' }, 'link-1');
    assert.deepEqual([first.status, second.status], [201, 201]);
    assert.equal(second.headers.get('idempotency-replayed'), 'true');
    assert.equal(second.headers.get('location'), first.headers.get('location'));
    assert.deepEqual(second.body, first.body);
    const renewed = `${path}/${first.body.id}/reconnect`;
    const third = await again(renewed, {}, 'link-2');
    assert.deepEqual((await again(renewed, {}, 'link-2')).body, third.body);
    const kept = psql('sluice', "SELECT answer FROM region.idempotency WHERE key IN ('link-1', 'link-2')");
    assert.equal(kept.trim().split('\n').length, 2);
    assert.doesNotMatch(kept, /attempt|authorize|qonto/);
    assert.equal((await browser().open(second.body.authorize_url)).status, 200);
    await disconnect(first.body.id);
  });

  test('whose answer was moved to another key is not told', async () => {
    const path = `${space.at}/connections`;
    const body = { provider: 'qonto', role: 'target' };
    const [one, two] = [await again(path, body, 'link-3'), await again(path, body, 'link-4')];
    psql('sluice', `UPDATE region.idempotency AS t SET answer = o.answer FROM region.idempotency AS o
      WHERE t.key = 'link-3' AND o.key = 'link-4' AND t.workspace_id = o.workspace_id`);
    assertRefused(await again(path, body, 'link-3'), 409, 'idempotency_secret');
    for (const { body: made } of [one, two]) await disconnect(made.id);
  });
});

describe('a link ends with the right to ask', () => {
  test('of a person who is no admin any more, also when the browser is under way', async () => {
    const admin = await join(space, 'admin');
    const first = await ask(admin.api, space.at);
    const second = await ask(admin.api, space.at);
    const walk = browser();
    const stopped = await walk.authorise(second.authorize_url, { stopAt: /\/oauth\/qonto\/callback/ });
    await space.person.expect(200, 'PUT', `${space.at}/members/${admin.id}`, { body: { role: 'reviewer' } });
    assert.equal((await browser().open(first.authorize_url)).status, 400);
    assert.equal((await walk.open(stopped.url)).status, 400);
    assert.deepEqual((await refusals(second.id)).map(({ detail }) => detail), [{ reason: 'asker_gone' }]);
    await disconnect(first.id);
    await disconnect(second.id);
  });

  test('of an API key that was deleted', async () => {
    const key = await space.person.expect(201, 'POST', `${space.at}/api-keys`, {
      body: { name: 'short', role: 'admin' },
    });
    const asked = await ask(anybody.as(key.key), space.at);
    assert.equal((await browser().open(asked.authorize_url)).status, 200);
    await space.person.expect(204, 'DELETE', `${space.at}/api-keys/${key.id}`);
    assert.equal((await browser().open(asked.authorize_url)).status, 400);
    await disconnect(asked.id);
  });
});

describe('behind https', () => {
  const installation = new Installation('links_https');
  let site;
  before(async () => {
    await installation.prepare({
      settings: (config) => {
        config.public_url = 'https://sluice.example.com';
      },
    });
    site = await installation.serve();
  });
  after(() => installation.stop());

  test('every cookie is of this host alone, and only ever sent over TLS', async () => {
    const own = await site.workspace();
    const { authorize_url: link } = await ask(own.api, own.at);
    const here = (url) => url.replace('https://sluice.example.com', site.base);
    assert.notEqual(here(link), link);
    const page = await fetch(here(link));
    const shown = page.headers.get('set-cookie');
    const { action, fields } = formOf(await page.text());
    const answer = await fetch(here(action), {
      method: 'POST',
      body: fields,
      headers: { cookie: shown.split(';')[0] },
      redirect: 'manual',
    });
    assert.equal(answer.status, 303);
    for (const cookie of [shown, answer.headers.get('set-cookie')])
      assert.match(cookie, /^__Host-sluice_\w+=[\w-]{43}; Path=\/; Max-Age=900; HttpOnly; SameSite=Lax; Secure$/);
  });
});
