// The resource server, dressed as mcp.stripe.com: the MCP endpoint at the root, its protected
// resource metadata, and the refusals that come before MCP is spoken at all.

import express from 'express';
import { describeRequest } from '../lib/faults.mjs';
import { refuse } from './sessions.mjs';
import { contextRefusal, toolError } from './tools.mjs';

const METADATA_PATH = '/.well-known/oauth-protected-resource';
const BODY_BYTES_MAX = 4 << 20;
const UNAUTHORIZED = 'Unauthorized. See https://docs.stripe.com/mcp for usage instructions.';

/**
 * @param {object} parts
 * @param {string} parts.resource https://host:port, the URL of this server
 * @param {string} parts.issuer
 * @param {object} parts.world accounts, switches and the rest that tools need
 * @param {object} parts.sessions createSessions()
 * @param {(value: string) => Promise<object | null>} parts.findAccessToken
 * @param {import('express').RequestHandler} parts.log
 * @param {(hooks: object) => import('express').RequestHandler} parts.faultsWith
 */
export function createResourceServer({ resource, issuer, world, sessions, findAccessToken, log,
  faultsWith }) {
  const challenge = (req, res) => {
    // The value is not quoted, against the grammar: so does the real server.
    res.set('www-authenticate', `Bearer resource_metadata=${resource}${METADATA_PATH}`);
    res.status(401).json({ error: UNAUTHORIZED });
  };
  const hooks = {
    expired_token: challenge,
    tool_error: (req, res, next, { params }) => answerInWords(req, res, params.text),
  };

  const app = express();
  app.disable('x-powered-by');
  app.disable('etag');
  app.use(log, readBody, faultsWith(hooks));
  app.get(METADATA_PATH, (req, res) => {
    res.json({ resource, authorization_servers: [issuer] });
  });
  app.all('/', async (req, res) => {
    const token = /^Bearer (\S+)$/i.exec(req.headers.authorization ?? '')?.[1];
    const granted = token && await findAccessToken(token);
    if (!granted) return challenge(req, res);
    if (req.unreadable) return refuse(res, 400, -32700, 'Parse error: Invalid JSON');
    const refusal = refusalOf(world.accounts, req.body);
    if (refusal) return res.status(400).json({ error: refusal });
    splitAnswer(res, world.switches.chunk_bytes);
    return sessions.handle(req, res, granted.grantId);
  });
  app.use((req, res) => res.status(404).json({ error: 'not_found' }));
  return app;
}

/** What the request log and the fault rules see of a request. */
export function describeMcp(req) {
  const descriptor = { ...describeRequest(req), revision: req.headers['mcp-protocol-version'] };
  if (req.body?.method !== 'tools/call') return descriptor;
  const { name, arguments: args } = req.body.params ?? {};
  return { ...descriptor, tool: name, operation: args?.stripe_api_operation_id };
}

/** Leaves an unreadable body to the endpoint: who is not authorised learns nothing about it. */
function readBody(req, res, next) {
  express.json({ limit: BODY_BYTES_MAX, type: () => true })(req, res, (error) => {
    if (error) {
      req.unreadable = true;
      req.body = undefined;
    }
    next();
  });
}

function refusalOf(accounts, message) {
  if (message?.method !== 'tools/call') return null;
  return contextRefusal(accounts, message.params?.arguments ?? {});
}

/** An error in words where the result of a tool is expected. */
function answerInWords(req, res, words) {
  const result = toolError(words ?? 'Stripe API error: An unknown error occurred.');
  res.json({ jsonrpc: '2.0', id: req.body?.id ?? null, result });
}

/** Sends an answer in pieces, each on its way before the next: readers must join them. */
function splitAnswer(res, size) {
  if (!(size > 0)) return;
  const { write, end } = res;
  const queue = [];
  let running = false;
  const pump = () => {
    const step = queue.shift();
    running = step !== undefined;
    if (running) step();
  };
  const add = (...steps) => {
    queue.push(...steps);
    if (!running) pump();
  };
  const pieces = (chunk) => {
    const bytes = Buffer.from(chunk);
    return Array.from({ length: Math.ceil(bytes.length / size) }, (_, index) => () => {
      const piece = bytes.subarray(index * size, (index + 1) * size);
      write.call(res, piece, () => setImmediate(pump));
    });
  };
  res.write = (chunk) => {
    add(...pieces(chunk));
    return true;
  };
  res.end = (chunk) => {
    if (chunk !== undefined && typeof chunk !== 'function') add(...pieces(chunk));
    add(() => end.call(res));
    return res;
  };
}
