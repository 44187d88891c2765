// A small OAuth client with a cookie jar that walks the whole way to a token, and MCP calls as
// bare HTTP. What is under test is the simulator: nothing here is lenient.

import { createHash, randomBytes } from 'node:crypto';

export const REDIRECT_URI = 'https://sluice.example/oauth/stripe/callback';

export async function discover({ mcp_url: mcpUrl }) {
  const refused = await fetch(mcpUrl, { method: 'POST', body: '{}' });
  const url = /^Bearer resource_metadata=([^\s",]+)$/
    .exec(refused.headers.get('www-authenticate'))[1];
  const resource = await (await fetch(url)).json();
  const issuer = new URL(resource.authorization_servers[0]);
  const at = `${issuer.origin}/.well-known/oauth-authorization-server${issuer.pathname}`;
  return { refused, resource, server: await (await fetch(at)).json() };
}

export async function register(server, fields = {}) {
  const response = await fetch(server.registration_endpoint, {
    method: 'POST',
    headers: { 'content-type': 'application/json' },
    body: JSON.stringify({
      client_name: 'Sluice', redirect_uris: [REDIRECT_URI], token_endpoint_auth_method: 'none',
      grant_types: ['authorization_code', 'refresh_token'], response_types: ['code'],
      scope: 'mcp', application_type: 'web', software_id: 'sluice', ...fields,
    }),
  });
  return { status: response.status, body: await response.json() };
}

export function newAttempt(clientId, resource) {
  const verifier = randomBytes(32).toString('base64url');
  return {
    verifier,
    query: {
      response_type: 'code', client_id: clientId, redirect_uri: REDIRECT_URI, scope: 'mcp',
      state: randomBytes(16).toString('hex'), resource,
      code_challenge: createHash('sha256').update(verifier).digest('base64url'),
      code_challenge_method: 'S256',
    },
  };
}

/** Follows redirects with cookies until the way leaves the server or ends. */
export async function walk(server, query) {
  const jar = new Map();
  let url = `${server.authorization_endpoint}?${new URLSearchParams(query)}`;
  for (let hop = 0; hop < 10; hop += 1) {
    const response = await fetch(url, {
      redirect: 'manual',
      headers: { cookie: [...jar].map(([name, value]) => `${name}=${value}`).join('; ') },
    });
    for (const cookie of response.headers.getSetCookie()) {
      const [, name, value] = /^([^=]+)=([^;]*)/.exec(cookie);
      if (value === '') jar.delete(name);
      else jar.set(name, value);
    }
    const location = response.headers.get('location');
    if (!location) return { response, url };
    const next = new URL(location, url);
    if (next.href.startsWith(REDIRECT_URI)) {
      return { callback: Object.fromEntries(next.searchParams) };
    }
    url = next.href;
  }
  throw new Error('too many redirects');
}

export async function postForm(url, fields) {
  const response = await fetch(url, { method: 'POST', body: new URLSearchParams(fields) });
  const text = await response.text();
  return { status: response.status, body: text === '' ? null : JSON.parse(text) };
}

export const exchange = (server, { query, verifier }, code, changes = {}) => (
  postForm(server.token_endpoint, {
    grant_type: 'authorization_code', code, redirect_uri: REDIRECT_URI,
    client_id: query.client_id, code_verifier: verifier, resource: query.resource, ...changes,
  }));

export const refresh = (server, clientId, resource, refreshToken) => (
  postForm(server.token_endpoint, {
    grant_type: 'refresh_token', refresh_token: refreshToken, client_id: clientId, resource,
  }));

/** From nothing to tokens. */
export async function authorise(stripe) {
  const { resource, server } = await discover(stripe);
  const { body: client } = await register(server);
  const attempt = newAttempt(client.client_id, resource.resource);
  const { callback } = await walk(server, attempt.query);
  const { body: tokens } = await exchange(server, attempt, callback.code);
  const { client_id: clientId } = client;
  return { server, clientId, resource: resource.resource, tokens, attempt, callback };
}

let lastId = 0;

/** One JSON-RPC request as bare HTTP. */
export function rpc(url, token, method, params, headers = {}) {
  lastId += 1;
  return fetch(url, {
    method: 'POST',
    redirect: 'manual',
    headers: {
      authorization: `Bearer ${token}`, 'content-type': 'application/json',
      accept: 'application/json, text/event-stream', ...headers,
    },
    body: JSON.stringify({ jsonrpc: '2.0', id: lastId, method, params }),
  });
}

export const INITIALIZE = {
  protocolVersion: '2025-11-25', capabilities: {}, clientInfo: { name: 'test', version: '1' },
};
