// A workspace, who is in it and with which role, the keys of programs, and calls that are made twice.

import assert from 'node:assert/strict';
import { randomUUID } from 'node:crypto';
import { before, describe, test } from 'node:test';
import { assertRefused } from '../support/raw.mjs';
import { anybody, join, keyOf, operator, PHRASE, workspace } from '../support/stack.mjs';

const address = (name) => `${name}-${randomUUID().slice(0, 8)}@example.com`;

describe('a workspace', () => {
  test('is made in a region, with its owner, its time zone and its language', async () => {
    const person = await operator();
    const made = await person.call('POST', '/v1/workspaces', {
      body: { name: 'Atelier d’Été', region: 'local', time_zone: 'Europe/Paris', language: 'fr' },
    });
    assert.equal(made.status, 201);
    assert.equal(made.headers.get('location'), `/v1/workspaces/${made.body.id}`);
    assert.equal(made.body.role, 'owner');
    assert.equal(made.body.name, 'Atelier d’Été');
    assert.deepEqual(await person.get(`/v1/workspaces/${made.body.id}`), made.body);
    const { memberships } = await person.get('/v1/me');
    assert.ok(memberships.some((it) => it.workspace_id === made.body.id && it.role === 'owner'));
  });

  test('is not made in a region that is not served, nor in a time zone that is none', async () => {
    const person = await operator();
    const ask = (body) => person.call('POST', '/v1/workspaces', { body });
    assertRefused(await ask({ name: 'A', region: 'mars' }), 422, 'field_invalid', 'region');
    assertRefused(
      await ask({ name: 'A', region: 'local', time_zone: '../../etc/passwd' }),
      422,
      'field_invalid',
      'time_zone',
    );
    assertRefused(await ask({ region: 'local' }), 422, 'field_missing', 'name');
    assertRefused(await ask({ name: '', region: 'local' }), 422, 'field_invalid', 'name');
    assertRefused(
      await ask({ name: 'x'.repeat(121), region: 'local' }),
      422,
      'field_invalid',
      'name',
    );
  });

  test('stands in the list of its members, page by page, and in no other', async () => {
    const made = [await workspace(), await workspace(), await workspace()];
    const person = await operator();
    const first = await person.get('/v1/workspaces?limit=2');
    assert.equal(first.data.length, 2);
    assert.ok(first.next_cursor);
    const all = (await person.all('/v1/workspaces')).map(({ id }) => id);
    assert.equal(new Set(all).size, all.length, 'a page repeats what another had');
    for (const { id } of made) assert.ok(all.includes(id));
    const stranger = await join(made[0], 'viewer');
    assert.deepEqual(
      (await stranger.api.all('/v1/workspaces')).map(({ id }) => id),
      [made[0].id],
    );
  });
});

describe('changing a workspace', () => {
  test('needs the version that was read, and changes only what is sent', async () => {
    const space = await workspace();
    const read = await space.person.call('GET', space.at);
    const etag = read.headers.get('etag');
    const changed = await space.person.call('PATCH', space.at, {
      body: { language: 'fr' },
      headers: { 'if-match': etag },
    });
    assert.equal(changed.status, 200);
    assert.equal(changed.body.language, 'fr');
    assert.equal(changed.body.name, space.name);
    assert.notEqual(changed.headers.get('etag'), etag);
  });

  test('is refused without a version (428), with an old one (412) and with nothing to change', async () => {
    const { person, at } = await workspace();
    const patch = (body, headers = {}) => person.call('PATCH', at, { body, headers });
    const etag = (await person.call('GET', at)).headers.get('etag');
    assertRefused(await patch({ language: 'fr' }), 428, 'precondition_required');
    assertRefused(await patch({}, { 'if-match': etag }), 422);
    assertRefused(
      await patch({ region: 'eu' }, { 'if-match': etag }),
      422,
      'field_unknown',
      'region',
    );
    assert.equal((await patch({ name: 'Second' }, { 'if-match': etag })).status, 200);
    assertRefused(await patch({ name: 'Third' }, { 'if-match': etag }), 412, 'stale');
    assertRefused(await patch({ name: 'Third' }, { 'if-match': '"nonsense"' }), 412, 'stale');
    assert.equal((await person.get(at)).name, 'Second');
  });

  test('by two people at once is won by one of them', async () => {
    const { person, at } = await workspace();
    const etag = (await person.call('GET', at)).headers.get('etag');
    const answers = await Promise.all(
      ['One', 'Two', 'Three', 'Four'].map((name) =>
        person.call('PATCH', at, { body: { name }, headers: { 'if-match': etag } }),
      ),
    );
    const statuses = answers.map(({ status }) => status).sort();
    assert.deepEqual(statuses, [200, 412, 412, 412]);
    const winner = answers.find(({ status }) => status === 200);
    assert.equal((await person.get(at)).name, winner.body.name);
  });
});

describe('members', () => {
  test('come by invitation, which works once', async () => {
    const space = await workspace();
    const clerk = await join(space, 'reviewer');
    const members = await space.person.all(`${space.at}/members`);
    assert.equal(members.find(({ user_id: id }) => id === clerk.id).role, 'reviewer');
    assert.equal((await clerk.api.get(space.at)).role, 'reviewer');
    assertRefused(
      await anybody.call('POST', '/v1/invitations/accept', {
        body: { token: clerk.token, name: 'Again', password: PHRASE },
        key: null,
      }),
      404,
      'not_found',
    );
    assertRefused(
      await space.person.call('POST', `${space.at}/invitations`, {
        body: { email: clerk.email, role: 'viewer' },
      }),
      409,
      'duplicate',
    );
  });

  test('who have an account prove it with their password', async () => {
    const [first, second] = [await workspace(), await workspace()];
    const clerk = await join(first, 'viewer');
    const { token } = await second.person.expect(201, 'POST', `${second.at}/invitations`, {
      body: { email: clerk.email, role: 'viewer' },
    });
    const accept = (password) =>
      anybody.call('POST', '/v1/invitations/accept', {
        body: { token, name: 'Somebody else', password },
        key: null,
      });
    assertRefused(await accept('a thief of invitations'), 401, 'login_refused');
    assert.equal((await accept(PHRASE)).status, 201);
    assert.equal((await clerk.api.get('/v1/me')).user.name, 'A viewer', 'the name stays');
    assert.equal((await clerk.api.all('/v1/workspaces')).length, 2);
  });

  test('get an account for the invited address and for no other', async () => {
    const space = await workspace();
    const email = address('bound');
    const invite = (to) =>
      space.person.call('POST', `${space.at}/invitations`, { body: { email: to, role: 'viewer' } });
    const { token } = (await invite(email)).body;
    const accept = (fields) =>
      anybody.call('POST', '/v1/invitations/accept', {
        body: { token, name: 'Bound', password: PHRASE, ...fields },
        key: null,
      });
    const login = (to) =>
      anybody.call('POST', '/v1/auth/login', { body: { email: to, password: PHRASE }, key: null });
    const victim = await join(space, 'reviewer');
    assertRefused(await accept({ email: victim.email }), 422, 'field_unknown', 'email');
    assertRefused(await accept({ token: `${token.slice(0, -1)}_` }), 404, 'not_found', 'token');
    const { status, body } = await accept({});
    assert.equal(status, 201);
    assert.equal((await login(email)).status, 200);
    assert.notEqual(body.user_id, victim.id);
    const { data } = await space.person.get(`${space.at}/audit?action=invitation.accepted`);
    assert.deepEqual(
      data.map(({ detail }) => detail),
      [{ account: 'new' }, { account: 'new' }],
    );
    assertRefused(await invite('\u0430da@example.com'), 422, 'field_invalid', 'email');
  });

  test('do not come by an invitation of somebody who may no longer invite', async () => {
    const space = await workspace();
    const admin = await join(space, 'admin');
    const key = await admin.api.expect(201, 'POST', `${space.at}/api-keys`, {
      body: { name: 'inviting', role: 'admin' },
    });
    const invited = async (by) => {
      const { token } = await by.expect(201, 'POST', `${space.at}/invitations`, {
        body: { email: address('late'), role: 'admin' },
      });
      return () =>
        anybody.call('POST', '/v1/invitations/accept', {
          body: { token, name: 'Late', password: PHRASE },
          key: null,
        });
    };
    const early = await invited(anybody.as(key.key));
    const accepts = [await invited(admin.api), await invited(anybody.as(key.key))];
    assert.equal((await early()).status, 201);
    await space.person.expect(200, 'PUT', `${space.at}/members/${admin.id}`, {
      body: { role: 'reviewer' },
    });
    for (const accept of accepts) assertRefused(await accept(), 404, 'not_found', 'token');
    await space.person.expect(204, 'DELETE', `${space.at}/members/${admin.id}`);
    for (const accept of accepts) assertRefused(await accept(), 404, 'not_found', 'token');
  });

  test('choose a password that is long enough and not their own name', async () => {
    const space = await workspace();
    const email = address('short');
    const { token } = await space.person.expect(201, 'POST', `${space.at}/invitations`, {
      body: { email, role: 'viewer' },
    });
    const accept = (password) =>
      anybody.call('POST', '/v1/invitations/accept', {
        body: { token, name: 'Short', password },
        key: null,
      });
    assertRefused(await accept('short'), 422, 'field_invalid', 'password');
    assertRefused(await accept(email), 422, 'field_invalid', 'password');
    assert.equal((await accept(PHRASE)).status, 201, 'a refusal does not use the invitation up');
  });

  test('change roles, as far as the role of who changes them reaches', async () => {
    const space = await workspace();
    const admin = await join(space, 'admin');
    const clerk = await join(space, 'viewer');
    const owner = (await space.person.get('/v1/me')).user.id;
    const put = (api, id, role) => api.call('PUT', `${space.at}/members/${id}`, { body: { role } });
    assert.equal((await put(admin.api, clerk.id, 'reviewer')).body.role, 'reviewer');
    assertRefused(await put(clerk.api, clerk.id, 'admin'), 403, 'forbidden');
    assertRefused(await put(admin.api, clerk.id, 'owner'), 403, 'forbidden');
    assertRefused(await put(admin.api, owner, 'viewer'), 403, 'forbidden');
    assertRefused(await put(space.person, owner, 'admin'), 409, 'conflict');
    assertRefused(await put(space.person, randomUUID(), 'admin'), 404, 'not_found');
    assertRefused(await put(space.person, clerk.id, 'emperor'), 422, 'field_invalid', 'role');
  });

  test('are out at once when they are removed, and the last owner stays', async () => {
    const space = await workspace();
    const clerk = await join(space, 'viewer');
    const owner = (await space.person.get('/v1/me')).user.id;
    const remove = (id) => space.person.call('DELETE', `${space.at}/members/${id}`);
    assert.equal((await remove(clerk.id)).status, 204);
    assertRefused(await clerk.api.call('GET', space.at), 404, 'not_found');
    assertRefused(await remove(clerk.id), 404, 'not_found');
    assertRefused(await remove(owner), 409, 'conflict');
  });
});

describe('API keys', () => {
  test('are shown once, and then only by their first characters', async () => {
    const space = await workspace();
    const listed = await space.person.all(`${space.at}/api-keys`);
    const shown = listed.find(({ id }) => id === space.key.id);
    assert.ok(space.key.key.startsWith(shown.hint));
    assert.ok(shown.hint.length < space.key.key.length / 2);
    assert.ok(!JSON.stringify(listed).includes(space.key.key));
  });

  test('act in their workspace, with their role', async () => {
    const [space, other] = [await workspace(), await workspace()];
    const viewer = await keyOf(space, 'viewer');
    assert.equal((await viewer.get(space.at)).role, 'viewer');
    assertRefused(await viewer.call('GET', `${space.at}/api-keys`), 403, 'forbidden');
    assertRefused(await viewer.call('GET', other.at), 404, 'not_found');
    assertRefused(
      await space.api.call('POST', '/v1/workspaces', {
        body: { name: 'A key makes none', region: 'local' },
      }),
      403,
      'forbidden',
    );
  });

  test('cannot be given more than their maker may', async () => {
    const space = await workspace();
    assertRefused(
      await space.person.call('POST', `${space.at}/api-keys`, {
        body: { name: 'owner', role: 'owner' },
      }),
      422,
      'field_invalid',
      'role',
    );
    const reviewer = await keyOf(space, 'reviewer');
    assertRefused(
      await reviewer.call('POST', `${space.at}/api-keys`, {
        body: { name: 'more', role: 'admin' },
      }),
      403,
      'forbidden',
    );
    assertRefused(
      await space.person.call('POST', `${space.at}/api-keys`, {
        body: { name: 'late', role: 'viewer', expires_at: '2020-01-01T00:00:00Z' },
      }),
      422,
      'field_invalid',
      'expires_at',
    );
  });

  test('do what their maker still may, and go with them', async () => {
    const space = await workspace();
    const maker = await join(space, 'admin');
    const key = await maker.api.expect(201, 'POST', `${space.at}/api-keys`, {
      body: { name: 'of the maker', role: 'admin' },
    });
    const api = anybody.as(key.key);
    assert.equal((await api.get(space.at)).role, 'admin');
    await space.person.expect(200, 'PUT', `${space.at}/members/${maker.id}`, {
      body: { role: 'viewer' },
    });
    assert.equal((await api.get(space.at)).role, 'viewer');
    assertRefused(await api.call('GET', `${space.at}/api-keys`), 403, 'forbidden');
    await space.person.expect(204, 'DELETE', `${space.at}/members/${maker.id}`);
    assertRefused(await api.call('GET', space.at), 401, 'unauthenticated');
    const { data } = await space.person.get(`${space.at}/audit?action=api_key.deleted`);
    assert.deepEqual(
      data.map(({ subject_id: id, detail }) => [id, detail]),
      [[key.id, { reason: 'maker_left' }]],
    );
    const keys = await space.person.all(`${space.at}/api-keys`);
    assert.ok(!keys.some(({ id }) => id === key.id));
  });

  test('make no other keys', async () => {
    const space = await workspace();
    assertRefused(
      await space.api.call('POST', `${space.at}/api-keys`, { body: { name: 'more', role: 'viewer' } }),
      403,
      'forbidden',
    );
  });

  test('stop working with the next call once they are deleted', async () => {
    const space = await workspace();
    assert.equal((await space.api.call('GET', space.at)).status, 200);
    const remove = () => space.person.call('DELETE', `${space.at}/api-keys/${space.key.id}`);
    assert.equal((await remove()).status, 204);
    assertRefused(await space.api.call('GET', space.at), 401, 'unauthenticated');
    assertRefused(await remove(), 404, 'not_found');
  });
});

describe('a call made twice', () => {
  let person;
  before(async () => {
    person = await operator();
  });
  const create = (name, options) =>
    person.call('POST', '/v1/workspaces', { body: { name, region: 'local' }, ...options });

  test('without an Idempotency-Key is refused, and so is a key of blanks', async () => {
    assertRefused(await create('No key', { key: null }), 400, 'idempotency_key_missing');
    assertRefused(await create('Blank', { key: 'two words' }), 400, 'parameter_invalid');
    assertRefused(await create('Long', { key: 'k'.repeat(256) }), 400, 'parameter_invalid');
  });

  test('with the same key and body gets the same answer and acts once', async () => {
    const key = randomUUID();
    const first = await create('Once', { key });
    const second = await create('Once', { key });
    assert.equal(first.status, 201);
    assert.deepEqual(second.body, first.body);
    assert.equal(second.status, 201);
    assert.equal(second.headers.get('location'), first.headers.get('location'));
    const all = await person.all('/v1/workspaces');
    assert.equal(all.filter(({ id }) => id === first.body.id).length, 1);
  });

  test('with the same key and another body is refused', async () => {
    const key = randomUUID();
    assert.equal((await create('First', { key })).status, 201);
    assertRefused(await create('Other', { key }), 422, 'idempotency_key_reused');
  });

  test('a refused call leaves its key free', async () => {
    const key = randomUUID();
    assertRefused(await create('', { key }), 422, 'field_invalid');
    assert.equal((await create('Corrected', { key })).status, 201);
  });

  test('whose answer carried a secret is not told it again', async () => {
    const space = await workspace();
    const key = randomUUID();
    const ask = () =>
      space.person.call('POST', `${space.at}/api-keys`, {
        body: { name: 'once', role: 'viewer' },
        key,
      });
    assert.equal((await ask()).status, 201);
    assertRefused(await ask(), 409, 'idempotency_secret');
    const keys = await space.person.all(`${space.at}/api-keys`);
    assert.equal(keys.filter(({ name }) => name === 'once').length, 1);
  });

  test('at the same moment acts once; the others get the answer or are told to wait', async () => {
    const key = randomUUID();
    const answers = await Promise.all(Array.from({ length: 6 }, () => create('At once', { key })));
    const made = answers.filter(({ status }) => status === 201);
    assert.ok(made.length >= 1);
    assert.equal(new Set(made.map(({ body }) => body.id)).size, 1);
    for (const answer of answers.filter(({ status }) => status !== 201)) {
      assertRefused(answer, 409, 'idempotency_running');
    }
    const named = (await person.all('/v1/workspaces')).filter(({ name }) => name === 'At once');
    assert.equal(named.length, 1);
  });

  test('with one key by two people is two calls', async () => {
    const space = await workspace();
    const clerk = await join(space, 'viewer');
    const key = randomUUID();
    const mine = await create('Same key', { key });
    const theirs = await clerk.api.call('POST', '/v1/workspaces', {
      body: { name: 'Same key', region: 'local' },
      key,
    });
    assert.equal(theirs.status, 201);
    assert.notEqual(theirs.body.id, mine.body.id);
  });
});
