import assert from 'node:assert/strict';
import { after, before, beforeEach, describe, test } from 'node:test';
import { SWITCHES } from '../stripe/switches.mjs';
import { INITIALIZE, authorise, rpc } from './support/client.mjs';
import { startSimulator } from './support/simulator.mjs';

const REVISION = '2026-07-28';
const META = 'io.modelcontextprotocol';
const DEFAULTS = Object.fromEntries(
  Object.entries(SWITCHES).map(([name, { fallback }]) => [name, fallback]));

describe('the modern era of MCP', () => {
  let simulator;
  let token;
  before(async () => {
    simulator = await startSimulator();
    ({ tokens: { access_token: token } } = await authorise(simulator.stripe));
  });
  after(() => simulator.close());
  beforeEach(() => simulator.post('/stripe/switches', { ...DEFAULTS, era: 'modern',
    response: 'json' }));

  const call = (method, params = {}, { revision = REVISION, headers = {}, signal,
    capabilities = {} } = {}) => fetch(simulator.stripe.mcp_url, {
    method: 'POST',
    signal,
    headers: { authorization: `Bearer ${token}`, 'content-type': 'application/json',
      accept: 'application/json, text/event-stream', 'mcp-protocol-version': revision,
      'mcp-method': method, ...(params.name ? { 'mcp-name': params.name } : {}), ...headers },
    body: JSON.stringify({ jsonrpc: '2.0', id: 7, method, params: { ...params, _meta: {
      [`${META}/protocolVersion`]: revision, [`${META}/clientCapabilities`]: capabilities,
      [`${META}/clientInfo`]: { name: 'test', version: '1' } } } }),
  });
  const tool = (name, args, options) => call('tools/call', { name, arguments: args }, options);
  const ACCOUNTS = 'list_available_accounts_or_orgs';

  test('a server describes itself, and takes no handshake', async () => {
    const discovered = await (await call('server/discover')).json();
    assert.deepEqual(discovered.result.supportedVersions, [REVISION]);
    const other = await call('server/discover', {}, { revision: '2099-01-01' });
    assert.equal(other.status, 400);
    const { error } = await other.json();
    assert.equal(error.code, -32022);
    assert.deepEqual(error.data.supported, [REVISION]);
    const initialized = await rpc(simulator.stripe.mcp_url, token, 'initialize', INITIALIZE);
    assert.equal(initialized.status, 400);
    const stream = await fetch(simulator.stripe.mcp_url,
      { headers: { authorization: `Bearer ${token}`, accept: 'text/event-stream' } });
    assert.equal(stream.status, 405);
    assert.equal((await fetch(simulator.stripe.mcp_url, { method: 'POST' })).status, 401);
  });

  test('calls answer in JSON or in events, and lists in pages with a hint', async () => {
    const { result } = await (await tool(ACCOUNTS, {})).json();
    assert.equal(result.resultType, 'complete');
    assert.equal(result.structuredContent.accounts.length, 2);
    await simulator.post('/stripe/switches', { response: 'sse', tools_page: 4, cache_ttl_ms: 5000 });
    const page = await call('tools/list');
    assert.match(page.headers.get('content-type'), /^text\/event-stream/);
    const listed = JSON.parse(/^data: (\{.*\})$/m.exec(await page.text())[1]).result;
    assert.deepEqual([listed.tools.length, listed.ttlMs, listed.cacheScope], [4, 5000, 'private']);
    assert.ok(listed.nextCursor);
  });

  test('headers have to repeat what the tools mark', async () => {
    await simulator.post('/stripe/switches', { param_headers: true });
    const account = simulator.live;
    const args = { stripe_api_operation_id: 'GetBalance', parameters: {},
      stripe_context: account.id, livemode: account.livemode };
    const refused = await tool('stripe_api_read', args);
    assert.deepEqual([refused.status, (await refused.json()).error.code], [400, -32020]);
    const { result } = await (await tool('stripe_api_read', args, { headers: {
      'mcp-param-stripe-context': account.id, 'mcp-param-stripe-livemode': 'true' } })).json();
    assert.equal(JSON.parse(result.content[0].text).object, 'balance');
  });

  test('calls may want a person, or only what the server had in mind', async () => {
    await simulator.post('/stripe/switches', { input_required: 'person' });
    assert.equal((await (await tool(ACCOUNTS, {})).json()).error.code, -32021);
    const able = { capabilities: { elicitation: { form: {} } } };
    const { result } = await (await tool(ACCOUNTS, {}, able)).json();
    assert.equal(result.resultType, 'input_required');
    assert.equal(result.inputRequests.confirm.method, 'elicitation/create');
    await simulator.post('/stripe/switches', { input_required: 'state' });
    const { result: asked } = await (await tool(ACCOUNTS, {})).json();
    assert.equal(asked.resultType, 'input_required');
    const { result: done } = await (await call('tools/call', { name: ACCOUNTS, arguments: {},
      requestState: asked.requestState, inputResponses: {} })).json();
    assert.equal(done.structuredContent.accounts.length, 2);
  });

  test('streams tell what they were asked for, and break when told to', async () => {
    const listen = await call('subscriptions/listen',
      { notifications: { toolsListChanged: true, resourceSubscriptions: ['stripe://a'] } });
    const reader = listen.body.getReader();
    const next = async () => Buffer.from((await reader.read()).value).toString();
    assert.match(await next(), /subscriptions\/acknowledged/);
    const { body } = await simulator.post('/stripe/notify', { tools: true });
    assert.equal(body.streams, 1);
    assert.match(await next(), /tools\/list_changed/);
    await simulator.post('/stripe/notify', { uri: 'stripe://b' });
    await simulator.post('/stripe/notify', { uri: 'stripe://a' });
    assert.match(await next(), /resources\/updated.*stripe:\/\/a/);
    await simulator.post('/stripe/cut_streams');
    await assert.rejects(async () => {
      for (;;) assert.ok(!(await reader.read()).done);
    });
  });

  test('both eras at one address', async () => {
    await simulator.post('/stripe/switches', { era: 'both' });
    assert.equal((await call('server/discover')).status, 200);
    const opened = await rpc(simulator.stripe.mcp_url, token, 'initialize', INITIALIZE);
    assert.ok(opened.headers.get('mcp-session-id'));
    await opened.text();
  });
});
