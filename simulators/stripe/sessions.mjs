// MCP on the official SDK, in the era that is switched on. In the legacy era sessions: one server
// and one transport each, bound to the grant whose token opened them; without sessions every
// request gets a server of its own. The modern era is in modern.mjs.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, EmptyResultSchema, ErrorCode, ListResourcesRequestSchema,
  ListToolsRequestSchema, McpError, SubscribeRequestSchema,
  isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import { createEventStore } from './event-store.mjs';
import { createModern } from './modern.mjs';
import { callTool, toolError, toolsOf } from './tools.mjs';

/** Beyond this the oldest session is closed. */
export const SESSIONS_MAX = 1000;

/** How long a client may take to answer a ping. */
const PING_MS_MAX = 3000;
/** With polling, the result comes this long after the stream has ended. */
const RESULT_AFTER_MS = 50;
const SERVER_INFO = { name: 'stripe', version: '1.0.0', title: 'Simulated Stripe' };

/** @param {object} world what callTool needs, with `switches` */
export function createSessions(world) {
  const open = new Map();
  const modern = createModern({
    switches: world.switches,
    serverInfo: SERVER_INFO,
    tools: () => toolsOf(world.switches),
    listTools: (cursor) => listTools(world.switches, cursor),
    answerCall: async ({ name, arguments: args }) => callTool(world, name, args ?? {}),
  });

  const end = async (id) => {
    const session = open.get(id);
    open.delete(id);
    await session?.transport.close();
  };

  /** A request outside any session, or one that opens a session. */
  async function start(req, res, grantId) {
    const { sessions, response, resumption, retry_ms: retryInterval } = world.switches;
    const server = createServer(world);
    const transport = new StreamableHTTPServerTransport({
      enableJsonResponse: response === 'json',
      eventStore: resumption === 'off' ? undefined : createEventStore(),
      retryInterval,
      sessionIdGenerator: sessions ? randomUUID : undefined,
      onsessioninitialized(id) {
        open.set(id, { transport, server, grantId, uris: server.uris });
        if (open.size > SESSIONS_MAX) end(open.keys().next().value);
      },
      onsessionclosed: (id) => void open.delete(id),
    });
    if (!sessions) res.once('close', () => transport.close());
    await server.connect(transport);
    await transport.handleRequest(req, res, req.body);
  }

  /** Tells the streams of both eras that something changed. */
  function notify(notice) {
    for (const { server, uris } of open.values()) {
      if (!uris) continue;
      if (notice.tools) server.sendToolListChanged();
      if (notice.uri && uris.has(notice.uri)) server.sendResourceUpdated({ uri: notice.uri });
    }
    modern.notify(notice);
  }

  return {
    count: () => open.size,
    streams: () => modern.streams(),
    notify,
    /** Streams of notices break in the middle of an event. */
    cutStreams: () => modern.end(() => true, true),
    /** Answers one authorised request to the MCP endpoint. */
    async handle(req, res, grantId) {
      const { era } = world.switches;
      if (era === 'modern' || (era === 'both' && await modern.claims(req))) {
        return modern.handle(req, res, grantId);
      }
      const id = req.headers['mcp-session-id'];
      const session = open.get(id);
      if (req.method === 'GET' && !(world.switches.get_stream && world.switches.sessions)) {
        return refuse(res, 405, -32000, 'Method not allowed.', { allow: 'POST' });
      }
      if (session?.grantId === grantId) {
        return session.transport.handleRequest(req, res, req.body);
      }
      if (id !== undefined && world.switches.sessions) {
        return refuse(res, 404, -32001, 'Session not found');
      }
      if (world.switches.sessions && !isInitializeRequest(req.body)) {
        return refuse(res, 400, -32000, 'Bad Request: No valid session ID provided');
      }
      return start(req, res, grantId);
    },
    /** Every session is unknown from now on; its streams end. */
    async drop(wanted = () => true) {
      const ids = [...open].filter(([, session]) => wanted(session)).map(([id]) => id);
      await Promise.all(ids.map(end));
      return ids.length + modern.end(wanted);
    },
    async close() {
      await this.drop();
      await modern.close();
    },
  };
}

function createServer(world) {
  const { notices } = world.switches;
  const told = { listChanged: true };
  const capabilities = notices
    ? { tools: told, resources: { ...told, subscribe: true } } : { tools: {} };
  const server = new Server(SERVER_INFO, { capabilities });
  server.setRequestHandler(ListToolsRequestSchema, ({ params }) => (
    listTools(world.switches, params?.cursor)));
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => (
    answerCall(world, params, extra)));
  if (notices) {
    server.uris = new Set();
    server.setRequestHandler(ListResourcesRequestSchema, () => ({ resources: [] }));
    server.setRequestHandler(SubscribeRequestSchema, ({ params }) => {
      server.uris.add(params.uri);
      return {};
    });
  }
  return server;
}

async function answerCall(world, params, extra) {
  const { switches } = world;
  if (switches.ping_first && !(await answersPing(extra))) {
    return toolError('the ping was not answered');
  }
  const result = callTool(world, params.name, params.arguments ?? {});
  if (switches.resumption === 'poll' && extra.closeSSEStream) {
    extra.closeSSEStream();
    await sleep(RESULT_AFTER_MS);
  }
  return result;
}

async function answersPing(extra) {
  try {
    await extra.sendRequest({ method: 'ping' }, EmptyResultSchema, { timeout: PING_MS_MAX });
    return true;
  } catch {
    return false;
  }
}

function listTools(switches, cursor) {
  const size = switches.tools_page;
  const all = toolsOf(switches);
  const from = cursor === undefined ? 0 : Number(Buffer.from(cursor, 'base64url').toString());
  if (!Number.isInteger(from) || from < 0 || from > all.length) {
    throw new McpError(ErrorCode.InvalidParams, 'Invalid cursor');
  }
  const to = size === 0 ? all.length : from + size;
  const tools = all.slice(from, to);
  if (to >= all.length) return { tools };
  return { tools, nextCursor: Buffer.from(String(to)).toString('base64url') };
}

export function refuse(res, status, code, message, headers = {}) {
  res.set(headers).status(status).json({ jsonrpc: '2.0', error: { code, message }, id: null });
}
