import assert from 'node:assert/strict';
import { after, before, beforeEach, test } from 'node:test';
import {
  ALL_SCOPES,
  CALLBACK,
  api,
  authorizationRequest,
  browse,
  connect,
  credentials,
  exchange,
  postForm,
  startWorld,
} from './support/qonto.mjs';

let world;
before(async () => {
  world = await startWorld();
});
after(() => world.close());
beforeEach(() => world.faults.clear());

const organization = (token) => api(world, `Bearer ${token}`, '/v2/organization');

const refresh = (token) =>
  postForm(world, '/oauth2/token', {
    grant_type: 'refresh_token',
    ...credentials(world),
    refresh_token: token,
  });

test('a browser walks from the request to a code and the code becomes tokens', async () => {
  const { url, params, verifier } = authorizationRequest(world);
  const { redirected } = await browse(world, url);
  assert.equal(redirected.origin + redirected.pathname, CALLBACK);
  assert.equal(redirected.searchParams.get('state'), params.state);
  assert.equal(redirected.searchParams.get('scope'), ALL_SCOPES);
  const code = redirected.searchParams.get('code');
  assert.match(code, /^ory_ac_/);
  const form = {
    grant_type: 'authorization_code',
    ...credentials(world),
    redirect_uri: CALLBACK,
    code,
    code_verifier: verifier,
  };
  const answer = await postForm(world, '/oauth2/token', form);
  assert.equal(answer.status, 200);
  assert.equal(answer.json.token_type, 'bearer');
  assert.equal(answer.json.expires_in, 3600);
  assert.match(answer.json.access_token, /^ory_at_/);
  assert.match(answer.json.refresh_token, /^ory_rt_/);
  assert.equal((await organization(answer.json.access_token)).status, 200);

  const again = await postForm(world, '/oauth2/token', form);
  assert.deepEqual([again.status, again.json.error], [400, 'invalid_grant']);
  const register = world.secrets.all().map((secret) => secret.value);
  for (const value of [
    code,
    answer.json.access_token,
    answer.json.refresh_token,
    world.qonto.client_secret,
    world.qonto.staging_token,
  ])
    assert.ok(register.includes(value));
});

test('a browser that did not open the first page itself is refused', async () => {
  const { url } = authorizationRequest(world);
  const fetched = await exchange(world.agent, url);
  assert.equal(fetched.status, 302);
  const handedOn = new URL(fetched.headers.location, url).href;
  const { page } = await browse(world, handedOn);
  assert.equal(page.status, 403);
  assert.match(page.text, /request_forbidden/);
  assert.match(page.text, /No CSRF value available in the session cookie/);
});

test('two walks in one browser disturb each other', async () => {
  const jar = new Map();
  const first = authorizationRequest(world);
  const opened = await exchange(world.agent, first.url);
  await browse(world, authorizationRequest(world).url, jar);
  const { page } = await browse(world, new URL(opened.headers.location, first.url).href, jar);
  assert.match(page.text, /request_forbidden/);
});

test('a bad client or redirect URI shows a page; the rest goes back to the client', async () => {
  for (const changes of [
    { client_id: 'nobody' },
    { redirect_uri: 'https://evil.example/callback' },
    { redirect_uri: undefined },
  ]) {
    const { page } = await browse(world, authorizationRequest(world, changes).url);
    assert.ok(page.status >= 400, JSON.stringify(changes));
  }
  const refusals = [
    [{ response_type: 'token' }, 'unsupported_response_type'],
    [{ state: 'short' }, 'invalid_state'],
    [{ scope: 'offline_access world.write' }, 'invalid_scope'],
    [{ code_challenge_method: 'plain' }, 'invalid_request'],
  ];
  for (const [changes, error] of refusals) {
    const { url, params } = authorizationRequest(world, changes);
    const { redirected } = await browse(world, url);
    assert.equal(redirected.searchParams.get('error'), error);
    assert.equal(redirected.searchParams.get('state'), params.state);
    assert.equal(redirected.searchParams.get('code'), null);
  }
});

test('registered redirect URIs are compared exactly', async () => {
  await world.steer('qonto/client', { redirect_uris: [CALLBACK] });
  const near = authorizationRequest(world, { redirect_uri: `${CALLBACK}/` });
  assert.equal((await browse(world, near.url)).page.status, 400);
  assert.ok((await browse(world, authorizationRequest(world).url)).redirected);
  await world.steer('qonto/client', { redirect_uris: [] });
});

test('a member can deny', async () => {
  await world.steer('qonto/switches', { consent: 'deny' });
  const { url, params } = authorizationRequest(world);
  const { redirected } = await browse(world, url);
  await world.steer('qonto/switches', { consent: 'auto' });
  assert.equal(redirected.searchParams.get('error'), 'access_denied');
  assert.equal(redirected.searchParams.get('state'), params.state);
});

test('a member can be asked, and the page names the organisation and the scopes', async () => {
  await world.steer('qonto/switches', { consent: 'ask' });
  const { page, url, jar } = await browse(world, authorizationRequest(world).url);
  await world.steer('qonto/switches', { consent: 'auto' });
  assert.match(page.text, /Connect Atelier &amp; Fils/);
  assert.match(page.text, /supplier_invoice\.write/);
  const challenge = /name="consent_challenge" value="([^"]+)"/.exec(page.text)[1];
  const answer = await exchange(world.agent, new URL('/consent', url).href, {
    method: 'POST',
    body: new URLSearchParams({ consent_challenge: challenge, answer: 'allow' }).toString(),
    headers: { 'Content-Type': 'application/x-www-form-urlencoded' },
  });
  const { redirected } = await browse(world, new URL(answer.headers.location, url).href, jar);
  assert.match(redirected.searchParams.get('code'), /^ory_ac_/);
});

test('a code needs its verifier and redirect URI, and lives ten minutes', async () => {
  const attempts = [
    { code_verifier: 'x'.repeat(43) },
    { code_verifier: '' },
    { redirect_uri: 'http://127.0.0.1:8080/other' },
    { late: true },
  ];
  for (const { late, ...changes } of attempts) {
    const { url, verifier } = authorizationRequest(world);
    const { redirected } = await browse(world, url);
    if (late) world.clock.advance(601_000);
    const answer = await postForm(world, '/oauth2/token', {
      grant_type: 'authorization_code',
      ...credentials(world),
      redirect_uri: CALLBACK,
      code: redirected.searchParams.get('code'),
      code_verifier: verifier,
      ...changes,
    });
    assert.deepEqual([answer.status, answer.json.error], [400, 'invalid_grant']);
  }
});

test('the client shows itself in the form and nowhere else', async () => {
  const { client_id: id, client_secret: secret } = credentials(world);
  const basic = `Basic ${Buffer.from(`${id}:${secret}`).toString('base64')}`;
  const attempts = [
    [{ grant_type: 'refresh_token', refresh_token: 'x' }, { Authorization: basic }],
    [
      { grant_type: 'refresh_token', refresh_token: 'x', client_id: id, client_secret: 'wrong' },
      {},
    ],
  ];
  for (const [form, headers] of attempts) {
    const answer = await postForm(world, '/oauth2/token', form, headers);
    assert.deepEqual([answer.status, answer.json.error], [401, 'invalid_client']);
  }
  const wrong = await postForm(world, '/oauth2/token', {
    ...credentials(world),
    grant_type: 'password',
  });
  assert.equal(wrong.json.error, 'unsupported_grant_type');
});

test('refresh tokens rotate, and the old one lives a minute after its first use', async () => {
  const first = await connect(world);
  const second = (await refresh(first.refresh_token)).json;
  assert.notEqual(second.refresh_token, first.refresh_token);
  world.clock.advance(45_000);
  const third = await refresh(first.refresh_token);
  assert.equal(third.status, 200, 'within the grace period');
  world.clock.advance(20_000);
  const late = await refresh(first.refresh_token);
  assert.deepEqual([late.status, late.json.error], [400, 'invalid_grant']);
  assert.equal((await refresh(second.refresh_token)).status, 200, 'the chain lives on');
  assert.equal((await organization(first.access_token)).status, 200, 'so does the access token');
});

test('access tokens live an hour and unused refresh tokens ninety days', async () => {
  const tokens = await connect(world);
  world.clock.advance(3_600_000);
  const expired = await organization(tokens.access_token);
  assert.deepEqual([expired.status, expired.json.errors[0].code], [401, 'unauthorized']);
  world.clock.advance(89 * 86_400_000);
  const renewed = await refresh(tokens.refresh_token);
  assert.equal(renewed.status, 200);
  world.clock.advance(90 * 86_400_000);
  assert.equal((await refresh(renewed.json.refresh_token)).json.error, 'invalid_grant');
});

test('without offline_access there is no refresh token', async () => {
  const tokens = await connect(world, 'organization.read');
  assert.equal(tokens.refresh_token, undefined);
});

test('revoking a token ends its grant; deleting consents ends all', async () => {
  const [one, two] = [await connect(world), await connect(world)];
  const revoke = (token) => postForm(world, '/oauth2/revoke', { ...credentials(world), token });
  const answer = await revoke(one.refresh_token);
  assert.deepEqual([answer.status, answer.text], [200, '']);
  assert.equal((await organization(one.access_token)).status, 401);
  assert.equal((await refresh(one.refresh_token)).json.error, 'invalid_grant');
  assert.equal((await revoke('ory_rt_never_seen')).status, 200);

  const deleted = await api(world, `Bearer ${two.access_token}`, '/v2/oauth2/consents', {
    method: 'DELETE',
  });
  assert.deepEqual([deleted.status, deleted.text], [204, '']);
  assert.equal((await organization(two.access_token)).status, 401);
});

test('steering: access tokens expire at once, grants end at once', async () => {
  const tokens = await connect(world);
  assert.ok((await world.steer('qonto/expire_access_tokens', {})).expired >= 1);
  assert.equal((await organization(tokens.access_token)).status, 401);
  const renewed = (await refresh(tokens.refresh_token)).json;
  assert.equal((await organization(renewed.access_token)).status, 200);
  await world.steer('qonto/kill_grants', {});
  assert.equal((await refresh(renewed.refresh_token)).json.error, 'invalid_grant');
});

test('switches: a refresh ends older access tokens; reuse ends the chain', async () => {
  await world.steer('qonto/switches', { refresh_revokes_access: true, reuse_kills_grant: true });
  const tokens = await connect(world);
  const renewed = (await refresh(tokens.refresh_token)).json;
  assert.equal((await organization(tokens.access_token)).status, 401);
  world.clock.advance(61_000);
  assert.equal((await refresh(tokens.refresh_token)).status, 400);
  assert.equal((await refresh(renewed.refresh_token)).status, 400);
  await world.steer('qonto/switches', { refresh_revokes_access: false, reuse_kills_grant: false });
});

test('the sandbox gate answers programs with a page, and lets browsers pass', async () => {
  const gated = [
    await postForm(world, '/oauth2/token', {}, { 'X-Qonto-Staging-Token': 'wrong' }),
    await exchange(world.agent, `${world.qonto.api_url}/v2/organization`),
  ];
  for (const answer of gated) {
    assert.equal(answer.status, 200);
    assert.match(answer.headers['content-type'], /^text\/html/);
  }
  const lower = () =>
    exchange(world.agent, `${world.qonto.oauth_url}/oauth2/token`, {
      method: 'POST',
      headers: { 'x-qonto-staging-token': world.qonto.staging_token },
    });
  assert.equal((await lower()).json.error, 'invalid_request');
  await world.steer('qonto/switches', { staging_header_case_sensitive: true });
  assert.match((await lower()).headers['content-type'], /^text\/html/);
  await world.steer('qonto/switches', {
    staging_header_case_sensitive: false,
    staging_gate: false,
  });
  const open = await exchange(world.agent, `${world.qonto.api_url}/v2/organization`);
  assert.deepEqual([open.status, open.json.errors[0].code], [400, 'bad_request']);
  await world.steer('qonto/switches', { staging_gate: true });
});

test('the fault expired_token hits one call, or one refresh', async () => {
  const tokens = await connect(world);
  world.faults.add({
    provider: 'qonto',
    kind: 'expired_token',
    match: { operation: 'organization.get' },
  });
  assert.equal((await organization(tokens.access_token)).status, 401);
  world.faults.add({
    provider: 'qonto',
    kind: 'expired_token',
    match: { operation: 'oauth.tokens' },
  });
  assert.equal((await refresh(tokens.refresh_token)).json.error, 'invalid_grant');
  assert.equal((await refresh(tokens.refresh_token)).status, 200);
});
