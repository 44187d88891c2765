import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { auth } from '@modelcontextprotocol/sdk/client/auth.js';
import { SWITCHES } from '../stripe/switches.mjs';
import { INITIALIZE, REDIRECT_URI, authorise, discover, exchange, newAttempt, postForm, refresh,
  register, rpc, walk } from './support/client.mjs';
import { startSimulator } from './support/simulator.mjs';

const DEFAULTS = Object.fromEntries(
  Object.entries(SWITCHES).map(([name, { fallback }]) => [name, fallback]));

describe('authorisation at the simulated Stripe', () => {
  let simulator;
  let stripe;
  before(async () => {
    simulator = await startSimulator();
    stripe = simulator.stripe;
  });
  after(() => simulator.close());
  beforeEach(() => simulator.post('/stripe/switches', DEFAULTS));

  const initialize = (token) => rpc(stripe.mcp_url, token, 'initialize', INITIALIZE);

  test('discovery is found where Stripe has it and nowhere else', async () => {
    const { refused, resource, server } = await discover(stripe);
    assert.equal(refused.status, 401);
    const challenge = refused.headers.get('www-authenticate');
    assert.equal(challenge, 'Bearer resource_metadata='
      + `${stripe.mcp_url}/.well-known/oauth-protected-resource`);
    assert.deepEqual(resource,
      { resource: stripe.mcp_url, authorization_servers: [stripe.issuer] });
    assert.equal(server.issuer, stripe.issuer);
    assert.deepEqual(server.token_endpoint_auth_methods_supported, ['none']);
    assert.deepEqual(server.code_challenge_methods_supported, ['S256']);
    const { origin } = new URL(stripe.issuer);
    for (const url of [`${stripe.issuer}/.well-known/oauth-authorization-server`,
      `${stripe.issuer}/.well-known/openid-configuration`,
      `${origin}/.well-known/oauth-authorization-server`,
      `${origin}/.well-known/openid-configuration/mcp`, `${stripe.mcp_url}/mcp`]) {
      const missing = await fetch(url);
      assert.equal(missing.status, 404, url);
      assert.match(missing.headers.get('content-type'), /application\/json/);
    }
    assert.equal((await fetch(stripe.mcp_url)).status, 401);
  });

  test('a client registers without a secret; 200 or 201; only without client authentication',
    async () => {
      const { server } = await discover(stripe);
      const first = await register(server);
      assert.equal(first.status, 201);
      assert.match(first.body.client_id, /^oacli_/);
      assert.equal(first.body.client_secret, undefined);
      await simulator.post('/stripe/switches', { dcr_status: 200 });
      assert.equal((await register(server)).status, 200);
      const secret = await register(server, { token_endpoint_auth_method: 'client_secret_basic' });
      assert.deepEqual([secret.status, secret.body.error], [400, 'invalid_client_metadata']);
      await simulator.post('/stripe/switches', { redirect_uris_allowed: ['https://x.example/'] });
      const refused = await register(server);
      assert.deepEqual([refused.status, refused.body.error], [400, 'invalid_redirect_uri']);
    });

  test('the whole way ends in a token that the resource server takes', async () => {
    const { tokens, callback, attempt } = await authorise(stripe);
    assert.equal(callback.state, attempt.query.state);
    assert.equal(callback.iss, stripe.issuer);
    assert.equal(tokens.token_type.toLowerCase(), 'bearer');
    assert.equal(tokens.expires_in, 3600);
    assert.ok(tokens.refresh_token);
    assert.equal((await initialize(tokens.access_token)).status, 200);
    assert.equal((await initialize(`${tokens.access_token}x`)).status, 401);
  });

  test("the SDK's own client authorises itself", async () => {
    const saved = {};
    const provider = {
      redirectUrl: REDIRECT_URI,
      clientMetadata: { client_name: 'SDK', redirect_uris: [REDIRECT_URI],
        token_endpoint_auth_method: 'none', scope: 'mcp' },
      clientInformation: () => saved.client,
      saveClientInformation: (client) => void (saved.client = client),
      tokens: () => saved.tokens,
      saveTokens: (tokens) => void (saved.tokens = tokens),
      redirectToAuthorization: (url) => void (saved.url = url),
      saveCodeVerifier: (verifier) => void (saved.verifier = verifier),
      codeVerifier: () => saved.verifier,
    };
    assert.equal(await auth(provider, { serverUrl: stripe.mcp_url }), 'REDIRECT');
    const { server } = await discover(stripe);
    const { callback } = await walk(server, Object.fromEntries(saved.url.searchParams));
    assert.equal(await auth(provider,
      { serverUrl: stripe.mcp_url, authorizationCode: callback.code, iss: callback.iss }),
    'AUTHORIZED');
    assert.equal((await initialize(saved.tokens.access_token)).status, 200);
  });

  test('PKCE, exact redirect and resource are demanded', async () => {
    const { server, resource } = await discover(stripe);
    const { body: client } = await register(server);
    const attempt = () => newAttempt(client.client_id, resource.resource);

    const { code_challenge: _, code_challenge_method: __, ...bare } = attempt().query;
    assert.equal((await walk(server, bare)).callback.error, 'invalid_request');
    const plain = await walk(server, { ...attempt().query, code_challenge_method: 'plain' });
    assert.equal(plain.callback.error, 'invalid_request');

    const elsewhere = await walk(server, { ...attempt().query, redirect_uri: `${REDIRECT_URI}/x` });
    assert.equal(elsewhere.response.status, 400);
    assert.equal((await elsewhere.response.json()).error, 'invalid_redirect_uri');

    const { resource: ___, ...without } = attempt().query;
    const dropped = await walk(server, without);
    assert.match(dropped.url, /\/dashboard$/);
    const wrong = await walk(server, { ...attempt().query, resource: 'https://other.example' });
    assert.equal(wrong.callback.error, 'invalid_target');

    const good = attempt();
    const { callback } = await walk(server, good.query);
    const verifier = await exchange(server, good, callback.code, { code_verifier: 'x'.repeat(43) });
    assert.deepEqual([verifier.status, verifier.body.error], [400, 'invalid_grant']);
    const again = attempt();
    const { callback: second } = await walk(server, again.query);
    const { resource: ____, ...query } = again.query;
    const noResource = await postForm(server.token_endpoint, {
      grant_type: 'authorization_code', code: second.code, redirect_uri: query.redirect_uri,
      client_id: query.client_id, code_verifier: again.verifier });
    assert.deepEqual([noResource.status, noResource.body.error], [400, 'invalid_target']);
  });

  test('a code serves once; its reuse takes the tokens away', async () => {
    const { server, attempt, callback, tokens } = await authorise(stripe);
    const reuse = await exchange(server, attempt, callback.code);
    assert.deepEqual([reuse.status, reuse.body.error], [400, 'invalid_grant']);
    assert.equal((await initialize(tokens.access_token)).status, 401);
  });

  test('the person may say no', async () => {
    await simulator.post('/stripe/switches', { consent: 'deny' });
    const { server, resource } = await discover(stripe);
    const { body: client } = await register(server);
    const attempt = newAttempt(client.client_id, resource.resource);
    const { callback } = await walk(server, attempt.query);
    assert.equal(callback.error, 'access_denied');
    assert.equal(callback.state, attempt.query.state);
    assert.equal(callback.code, undefined);
  });

  test('the page shows the name of the client as text', async () => {
    await simulator.post('/stripe/switches', { consent: 'page' });
    const { server, resource } = await discover(stripe);
    const { body: client } = await register(server, { client_name: '<b>Sluice' });
    const { response } = await walk(server, newAttempt(client.client_id, resource.resource).query);
    const page = await response.text();
    assert.match(page, /&lt;b&gt;Sluice/);
    assert.match(page, /value="approve"/);
  });

  test('refresh tokens rotate; reuse of an old one kills the grant', async () => {
    const { server, clientId, resource, tokens } = await authorise(stripe);
    const second = await refresh(server, clientId, resource, tokens.refresh_token);
    assert.equal(second.status, 200);
    assert.notEqual(second.body.refresh_token, tokens.refresh_token);
    assert.equal((await initialize(second.body.access_token)).status, 200);

    const replay = await refresh(server, clientId, resource, tokens.refresh_token);
    assert.deepEqual([replay.status, replay.body.error], [400, 'invalid_grant']);
    const dead = await refresh(server, clientId, resource, second.body.refresh_token);
    assert.deepEqual([dead.status, dead.body.error], [400, 'invalid_grant']);
    assert.equal((await initialize(second.body.access_token)).status, 401);
  });

  test('lifetimes follow the simulated clock', async () => {
    await simulator.post('/stripe/switches', { access_token_ttl_s: 600 });
    const { server, clientId, resource, tokens } = await authorise(stripe);
    assert.equal(tokens.expires_in, 600);
    await simulator.post('/clock', { advance_s: 590 });
    assert.equal((await initialize(tokens.access_token)).status, 200);
    await simulator.post('/clock', { advance_s: 20 });
    assert.equal((await initialize(tokens.access_token)).status, 401);
    const fresh = await refresh(server, clientId, resource, tokens.refresh_token);
    assert.equal(fresh.status, 200);
    assert.equal((await initialize(fresh.body.access_token)).status, 200);
    await simulator.post('/clock', { advance_s: 366 * 86_400 });
    const late = await refresh(server, clientId, resource, fresh.body.refresh_token);
    assert.equal(late.body.error, 'invalid_grant');
  });

  test('revocation answers 200, also for what it does not know, and takes the whole grant',
    async () => {
      const { server, clientId, tokens } = await authorise(stripe);
      const revoke = (token) => postForm(server.revocation_endpoint,
        { token, client_id: clientId, token_type_hint: 'refresh_token' });
      assert.equal((await revoke('unknown')).status, 200);
      assert.equal((await initialize(tokens.access_token)).status, 200);
      assert.equal((await revoke(tokens.refresh_token)).status, 200);
      assert.equal((await initialize(tokens.access_token)).status, 401);
      assert.equal((await revoke(tokens.refresh_token)).status, 200);
    });

  test('after revocation an open stream ends within a second', async () => {
    const { server, clientId, tokens } = await authorise(stripe);
    const opened = await initialize(tokens.access_token);
    const session = { 'mcp-session-id': opened.headers.get('mcp-session-id'),
      authorization: `Bearer ${tokens.access_token}`, accept: 'text/event-stream' };
    const stream = await fetch(stripe.mcp_url, { headers: session });
    assert.equal(stream.status, 200);
    const ended = (async () => {
      for await (const _ of stream.body) ;
      return Date.now();
    })();
    const revoked = Date.now();
    await postForm(server.revocation_endpoint, { token: tokens.access_token, client_id: clientId });
    assert.ok(await ended - revoked < 1000);
    assert.equal((await fetch(stripe.mcp_url, { headers: session })).status, 401);
  });

  test('what happens behind the back of the client', async () => {
    const expired = await authorise(stripe);
    await simulator.post('/stripe/expire_access_tokens');
    assert.equal((await initialize(expired.tokens.access_token)).status, 401);
    const { body } = await refresh(expired.server, expired.clientId, expired.resource,
      expired.tokens.refresh_token);
    assert.equal((await initialize(body.access_token)).status, 200);

    await simulator.post('/stripe/kill_grants');
    assert.equal((await initialize(body.access_token)).status, 200);
    const dead = await refresh(expired.server, expired.clientId, expired.resource,
      body.refresh_token);
    assert.equal(dead.body.error, 'invalid_grant');

    await simulator.post('/stripe/revoke_all');
    assert.equal((await initialize(body.access_token)).status, 401);

    await simulator.post('/stripe/drop_clients');
    const unknown = await refresh(expired.server, expired.clientId, expired.resource, 'any');
    assert.equal(unknown.body.error, 'invalid_client');
  });

  test('a token for another resource is not taken', async () => {
    await simulator.post('/stripe/switches', { token_resource: 'https://other.example' });
    const { tokens } = await authorise(stripe);
    assert.ok(tokens.access_token);
    assert.equal((await initialize(tokens.access_token)).status, 401);
  });

  test('a wrong issuer can be played in the metadata and in the callback', async () => {
    await simulator.post('/stripe/switches', { callback_iss: 'wrong',
      callback_iss_advertised: true, metadata_issuer: 'https://evil.example' });
    const { server, resource } = await discover(stripe);
    assert.equal(server.issuer, 'https://evil.example');
    assert.equal(server.authorization_response_iss_parameter_supported, true);
    const { body: client } = await register(server);
    const query = newAttempt(client.client_id, resource.resource);
    assert.equal((await walk(server, query.query)).callback.iss, `${stripe.issuer}/other`);
    await simulator.post('/stripe/switches', { callback_iss: 'none' });
    assert.equal((await walk(server, query.query)).callback.iss, undefined);
  });

  test('every secret that was issued is in the register', async () => {
    const { tokens, callback } = await authorise(stripe);
    const { body } = await simulator.get('/secrets');
    const values = body.secrets.map((secret) => secret.value);
    for (const secret of [tokens.access_token, tokens.refresh_token, callback.code]) {
      assert.ok(values.includes(secret));
    }
  });
});
