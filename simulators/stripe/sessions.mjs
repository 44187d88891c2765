// MCP sessions on the official SDK: one server and one transport each, bound to the grant whose
// token opened them. Without sessions every request gets a server of its own.

import { randomUUID } from 'node:crypto';
import { setTimeout as sleep } from 'node:timers/promises';
import { Server } from '@modelcontextprotocol/sdk/server/index.js';
import { StreamableHTTPServerTransport } from '@modelcontextprotocol/sdk/server/streamableHttp.js';
import { CallToolRequestSchema, EmptyResultSchema, ErrorCode, ListToolsRequestSchema, McpError,
  isInitializeRequest } from '@modelcontextprotocol/sdk/types.js';
import { createEventStore } from './event-store.mjs';
import { TOOLS, callTool, toolError } from './tools.mjs';

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
        open.set(id, { transport, grantId });
        if (open.size > SESSIONS_MAX) end(open.keys().next().value);
      },
      onsessionclosed: (id) => void open.delete(id),
    });
    if (!sessions) res.once('close', () => transport.close());
    await server.connect(transport);
    await transport.handleRequest(req, res, req.body);
  }

  return {
    count: () => open.size,
    /** Answers one authorised request to the MCP endpoint. */
    async handle(req, res, grantId) {
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
      return ids.length;
    },
  };
}

function createServer(world) {
  const server = new Server(SERVER_INFO, { capabilities: { tools: {} } });
  server.setRequestHandler(ListToolsRequestSchema, ({ params }) => (
    listTools(world.switches.tools_page, params?.cursor)));
  server.setRequestHandler(CallToolRequestSchema, ({ params }, extra) => (
    answerCall(world, params, extra)));
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

function listTools(size, cursor) {
  const from = cursor === undefined ? 0 : Number(Buffer.from(cursor, 'base64url').toString());
  if (!Number.isInteger(from) || from < 0 || from > TOOLS.length) {
    throw new McpError(ErrorCode.InvalidParams, 'Invalid cursor');
  }
  const to = size === 0 ? TOOLS.length : from + size;
  const tools = TOOLS.slice(from, to);
  if (to >= TOOLS.length) return { tools };
  return { tools, nextCursor: Buffer.from(String(to)).toString('base64url') };
}

export function refuse(res, status, code, message, headers = {}) {
  res.set(headers).status(status).json({ jsonrpc: '2.0', error: { code, message }, id: null });
}
