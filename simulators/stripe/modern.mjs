// The modern era (revision 2026-07-28) on the second line of the official SDK: no sessions, every
// request stands for itself, and notices travel on streams that a client asks for.

import { toNodeHandler } from '@modelcontextprotocol/node';
import { McpServer, createMcpHandler, fromJsonSchema, isLegacyRequest,
  inputRequired } from '@modelcontextprotocol/server';

/** Beyond this a request to listen is refused. */
export const STREAMS_MAX = 100;

const LISTEN = 'subscriptions/listen';
const KEEP_ALIVE_MS = 15_000;
const IN_MIND = 'what the server had in mind';
const HALF_AN_EVENT = 'event: message\ndata: {"jsonrpc":"2.0","method":"notifications/to';

/**
 * @param {object} parts
 * @param {object} parts.switches the live values
 * @param {object} parts.serverInfo
 * @param {() => object[]} parts.tools as tools/list shows them now
 * @param {(cursor?: string) => object} parts.listTools one page
 * @param {(params: object, ctx: object) => Promise<object>} parts.answerCall
 */
export function createModern({ switches, serverInfo, tools, listTools, answerCall }) {
  const handlers = new Map();
  const schemas = new Map();
  const streams = new Map();

  const schemaOf = (tool) => {
    const key = JSON.stringify(tool.inputSchema);
    if (!schemas.has(key)) schemas.set(key, fromJsonSchema(tool.inputSchema));
    return schemas.get(key);
  };

  /** The SDK checks headers against the tools that it knows; lists and calls are answered here. */
  function createServer() {
    const notices = { listChanged: true };
    const server = new McpServer(serverInfo, {
      capabilities: { tools: notices, resources: { ...notices, subscribe: true } },
      cacheHints: {
        'tools/list': { ttlMs: switches.cache_ttl_ms, cacheScope: 'private' },
        'server/discover': { ttlMs: switches.cache_ttl_ms, cacheScope: 'public' },
      },
    });
    for (const tool of tools()) {
      server.registerTool(tool.name, { inputSchema: schemaOf(tool) }, () => ({ content: [] }));
    }
    server.server.setRequestHandler('tools/list', ({ params }) => listTools(params?.cursor));
    server.server.setRequestHandler('tools/call', ({ params }, { mcpReq }) => {
      const wanted = ASKED_FIRST[switches.input_required];
      const given = mcpReq.inputResponses !== undefined || mcpReq.requestState() === IN_MIND;
      return wanted && !given ? wanted() : answerCall(params);
    });
    return server;
  }

  const handlerNow = () => {
    const responseMode = switches.response;
    if (!handlers.has(responseMode)) {
      handlers.set(responseMode, createMcpHandler(createServer, {
        legacy: 'reject', responseMode, keepAliveMs: KEEP_ALIVE_MS, maxSubscriptions: STREAMS_MAX,
      }));
    }
    return handlers.get(responseMode);
  };

  return {
    /** Whether a request is of this era; so says the SDK. */
    async claims(req) {
      if (req.method !== 'POST') return false;
      const headers = Object.entries(req.headers)
        .filter(([name]) => !name.startsWith(':'))
        .map(([name, value]) => [name, String(value)]);
      const request = new Request('https://localhost/', { method: 'POST', headers });
      return !(await isLegacyRequest(request, req.body));
    },
    async handle(req, res, grantId) {
      if (req.body?.method === LISTEN) {
        streams.set(res, grantId);
        res.once('close', () => streams.delete(res));
      }
      const handler = handlerNow();
      await toNodeHandler(handler)(req, res, req.body);
    },
    /** Tells every stream that asked for it. */
    notify({ tools: ofTools, uri }) {
      for (const { notify } of handlers.values()) {
        if (ofTools) notify.toolsChanged();
        if (uri) notify.resourceUpdated(uri);
      }
    },
    /** Ends streams; with `cut` in the middle of an event. */
    end(wanted = () => true, cut = false) {
      const ending = [...streams].filter(([, grantId]) => wanted({ grantId }));
      for (const [res] of ending) {
        if (cut) res.write(HALF_AN_EVENT);
        res.destroy();
      }
      return ending.length;
    },
    streams: () => streams.size,
    async close() {
      await Promise.all([...handlers.values()].map((handler) => handler.close()));
    },
  };
}

const ASKED_FIRST = {
  state: () => inputRequired({ requestState: IN_MIND }),
  person: () => inputRequired({ requestState: IN_MIND, inputRequests: {
    confirm: inputRequired.elicit({
      message: 'Shall it be done?',
      requestedSchema: { type: 'object', properties: { confirmed: { type: 'boolean' } } },
    }),
  } }),
};
