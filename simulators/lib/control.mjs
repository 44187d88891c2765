// The control API: one plain HTTP listener on the loopback interface, for every simulator.
// Tests and demonstrations use it; a system under test never does.

import express from 'express';
import { listen } from './listen.mjs';

/** Requests that the log keeps; older ones are forgotten. */
export const REQUESTS_MAX = 5000;
const BODY_BYTES_MAX = 8 << 20;

/**
 * @param {object} parts
 * @param {import('./clock.mjs').Clock} parts.clock
 * @param {object} parts.faults createFaults()
 * @param {import('./secrets.mjs').SecretRegister} parts.secrets
 */
export function createControl({ clock, faults, secrets }) {
  const app = express();
  const states = new Map();
  const log = createRequestLog();

  app.disable('x-powered-by');
  app.use(express.json({ limit: BODY_BYTES_MAX }));
  app.get('/control/state', (req, res) => {
    const providers = Object.fromEntries([...states].map(([name, state]) => [name, state()]));
    res.json({ now_ms: clock.now(), counters: log.counters, providers });
  });
  addClockRoute(app, clock);
  addFaultRoutes(app, faults);
  app.get('/control/secrets', (req, res) => res.json({ secrets: secrets.all() }));
  app.get('/control/requests', (req, res) => res.json({ requests: log.all(req.query.provider) }));
  app.delete('/control/requests', (req, res) => res.json({ removed: log.clear() }));

  return {
    /**
     * Adds a provider's own routes under /control/<provider>.
     * @param {string} provider
     * @param {import('express').Router} router bodies arrive parsed from JSON
     * @param {() => object} [state] what GET /control/state shows of it (URLs, counts)
     */
    mount(provider, router, state = () => ({})) {
      app.use(`/control/${provider}`, router);
      states.set(provider, state);
    },
    /**
     * Middleware that logs each request when its answer is over: never a header, a query, a body.
     * @param {string} provider
     * @param {(req) => {operation?: string, tool?: string}} [describe] called at the end
     */
    requestLogger: (provider, describe = () => ({})) => (req, res, next) => {
      const entry = {
        provider,
        method: req.method,
        path: (req.originalUrl ?? req.url).split('?')[0],
        at_ms: clock.now(),
      };
      res.once('close', () => {
        const { operation, tool, revision } = describe(req);
        const status = res.writableFinished ? res.statusCode : null;
        log.add({ ...entry, operation, tool, revision, status });
      });
      next();
    },
    /** Starts listening, after every mount. @returns {Promise<{url, port, close}>} */
    listen(port = 0) {
      app.use((req, res) => res.status(404).json({ error: 'no such control route' }));
      app.use((error, req, res, next) => answerError(error, res, next));
      return listen({ handler: app, port });
    },
  };
}

function createRequestLog() {
  const counters = {};
  let requests = [];
  return {
    counters,
    add(entry) {
      requests.push(entry);
      if (requests.length > REQUESTS_MAX) requests.shift();
      counters[entry.provider] = (counters[entry.provider] ?? 0) + 1;
    },
    all: (provider) => requests.filter((entry) => !provider || entry.provider === provider),
    clear() {
      const removed = requests.length;
      requests = [];
      return removed;
    },
  };
}

function addClockRoute(app, clock) {
  app.post('/control/clock', (req, res) => {
    const { now_ms: nowMs, advance_s: advanceS } = req.body ?? {};
    if ((nowMs === undefined) === (advanceS === undefined)) {
      throw new TypeError('exactly one of now_ms and advance_s is needed');
    }
    if (nowMs !== undefined) clock.set(nowMs);
    else clock.advance(advanceS * 1000);
    res.json({ now_ms: clock.now() });
  });
}

function addFaultRoutes(app, faults) {
  app.get('/control/faults', (req, res) => res.json({ faults: faults.list() }));
  app.post('/control/faults', (req, res) => {
    const rules = Array.isArray(req.body) ? req.body : [req.body];
    res.status(201).json({ faults: rules.map((rule) => faults.add(rule)) });
  });
  app.delete('/control/faults', (req, res) => res.json({ removed: faults.clear() }));
  app.delete('/control/faults/:id', (req, res) => {
    res.json({ removed: faults.clear(Number(req.params.id)) });
  });
}

function answerError(error, res, next) {
  if (res.headersSent) return next(error);
  const known = error instanceof TypeError || error instanceof RangeError;
  const status = error.status ?? (known ? 400 : 500);
  return res.status(status).json({ error: error.message });
}
