// Faults that a test or a demonstration asks the simulated providers to commit.
//
// A rule waits until a request of its provider matches, lets `after` of them pass, then hits
// `times` requests and is spent. Of several rules that match one request the oldest hits.

import { captureAnswer, cutConnection, sendAnswer, sendHalfAndCut } from './capture.mjs';

/** Rules that may wait at one time; more are refused. */
export const RULES_MAX = 1000;
/** The largest answer of kind "huge", in MiB. */
export const HUGE_MIB_MAX = 1024;

/**
 * Every kind with what `params` may say. Kinds marked * are committed by the provider itself
 * through a hook, because their shape is its own.
 */
export const FAULT_KINDS = Object.freeze({
  429: 'refused before execution; retry_after (seconds or a date; no header without)',
  '5xx': 'any status (503), body, content_type, headers, retry_after; execute: true answers after',
  slow: 'ms (1000) of silence, then the true answer',
  cut: 'at: "before" (default, not executed) or "middle" (executed, half of the answer is sent)',
  lost_answer: 'executed, then the connection is destroyed without an answer',
  html: 'status (200), body: a web page instead of execution',
  huge: 'mib (50) of JSON text, status (200), content_type (application/json)',
  redirect: 'status (302), location (https://redirected.invalid/)',
  wrong_type: 'content_type (text/plain) on the true answer',
  half_event: 'executed; half an SSE event, then an orderly end of the stream',
  expired_token: '* as if the token had expired',
  errors_200: '* a success status around an error',
  tool_error: '* an error in words inside a successful answer; text',
});

const MATCH_KEYS = ['path', 'method', 'operation', 'tool'];
const RULE_KEYS = ['provider', 'match', 'kind', 'times', 'after', 'params'];

/**
 * @typedef {object} FaultRule
 * @property {string} provider stripe or qonto
 * @property {{path?: string, method?: string, operation?: string, tool?: string}} [match] all of
 *   the given must equal; a path may end in * (any rest)
 * @property {string} kind a key of FAULT_KINDS
 * @property {number} [times] 1 without; 0 means until cleared
 * @property {number} [after] how many matching requests pass first; 0 without
 * @property {object} [params]
 */

/** @returns {{add, take, list, clear}} */
export function createFaults() {
  let rules = [];
  let lastId = 0;

  return {
    /** Checks and adds a rule. @param {FaultRule} rule @returns {FaultRule & {id: number}} */
    add(rule) {
      const checked = checkRule(rule);
      if (rules.length >= RULES_MAX) throw new RangeError(`more than ${RULES_MAX} rules`);
      lastId += 1;
      const added = { id: lastId, ...checked, hits: 0, passed: 0 };
      rules.push(added);
      return { ...added };
    },
    /**
     * The rule that hits this request, or null. Consumes one of its times.
     * @param {string} provider
     * @param {{path?, method?, operation?, tool?}} descriptor
     */
    take(provider, descriptor) {
      for (const rule of rules) {
        if (!matches(rule, provider, descriptor)) continue;
        if (rule.passed < rule.after) {
          rule.passed += 1;
          continue;
        }
        rule.hits += 1;
        if (rule.times !== 0 && rule.hits >= rule.times) rules = rules.filter((r) => r !== rule);
        return { ...rule };
      }
      return null;
    },
    list: () => rules.map((rule) => ({ ...rule })),
    /** Removes one rule, or all. @returns {number} how many */
    clear(id) {
      const before = rules.length;
      rules = id === undefined ? [] : rules.filter((rule) => rule.id !== id);
      return before - rules.length;
    },
  };
}

function checkRule(rule) {
  const refuse = (what) => {
    throw new TypeError(`fault rule: ${what}`);
  };
  if (typeof rule !== 'object' || rule === null) refuse('an object is needed');
  for (const key of Object.keys(rule)) if (!RULE_KEYS.includes(key)) refuse(`unknown "${key}"`);
  const { provider, match = {}, kind, times = 1, after = 0, params = {} } = rule;
  if (typeof provider !== 'string' || provider === '') refuse('provider is needed');
  if (!Object.hasOwn(FAULT_KINDS, String(kind))) {
    refuse(`kind must be one of ${Object.keys(FAULT_KINDS).join(', ')}`);
  }
  for (const [key, value] of Object.entries(match)) {
    if (!MATCH_KEYS.includes(key)) refuse(`unknown match "${key}"`);
    if (typeof value !== 'string') refuse(`match.${key} must be a text`);
  }
  if (!Number.isInteger(times) || times < 0) refuse('times must be a whole number');
  if (!Number.isInteger(after) || after < 0) refuse('after must be a whole number');
  if (typeof params !== 'object' || params === null) refuse('params must be an object');
  if (params.mib !== undefined && !(params.mib > 0 && params.mib <= HUGE_MIB_MAX)) {
    refuse(`mib must be in 1..${HUGE_MIB_MAX}`);
  }
  return { provider, match: { ...match }, kind: String(kind), times, after, params };
}

function matches(rule, provider, descriptor) {
  if (rule.provider !== provider) return false;
  return Object.entries(rule.match).every(([key, wanted]) => {
    const seen = descriptor[key];
    if (typeof seen !== 'string') return false;
    if (key === 'path' && wanted.endsWith('*')) return seen.startsWith(wanted.slice(0, -1));
    if (key === 'method') return seen.toUpperCase() === wanted.toUpperCase();
    return seen === wanted;
  });
}

/**
 * Express middleware that commits the faults. Put it after whatever parses what `describe` reads.
 * @param {object} options
 * @param {ReturnType<createFaults>} options.faults
 * @param {string} options.provider
 * @param {(req) => object} [options.describe] the descriptor; path and method without
 * @param {Record<string, (req, res, next, rule) => void>} [options.hooks] the provider's own way
 *   of a kind; needed for the kinds marked * in FAULT_KINDS, allowed for every other
 */
export function faultMiddleware({ faults, provider, describe = describeRequest, hooks = {} }) {
  return (req, res, next) => {
    const rule = faults.take(provider, describe(req));
    if (!rule) return next();
    const commit = hooks[rule.kind] ?? GENERIC[rule.kind];
    if (!commit) return next(new Error(`${provider} has no way to commit "${rule.kind}"`));
    return commit(req, res, next, rule);
  };
}

/** The descriptor of any HTTP request. */
export function describeRequest(req) {
  return { path: (req.originalUrl ?? req.url).split('?')[0], method: req.method };
}

const PAGE = '<!doctype html><title>Maintenance</title><h1>We will be back soon</h1>\n';

const GENERIC = {
  429: (req, res, next, { params }) => refuse(res, 429, params, '{"error":"Too many requests"}'),
  '5xx'(req, res, next, { params }) {
    const answer = () => refuse(res, params.status ?? 503, params, '{"error":"Unavailable"}');
    if (!params.execute) return answer();
    captureAnswer(res, answer);
    return next();
  },
  slow: (req, res, next, { params }) => void setTimeout(next, params.ms ?? 1000),
  cut(req, res, next, { params }) {
    if (params.at !== 'middle') return cutConnection(res);
    captureAnswer(res, (answer) => sendHalfAndCut(res, answer));
    return next();
  },
  lost_answer(req, res, next) {
    captureAnswer(res, () => cutConnection(res));
    return next();
  },
  html(req, res, next, { params }) {
    refuse(res, params.status ?? 200, { content_type: 'text/html', ...params }, PAGE);
  },
  huge: (req, res, next, { params }) => sendHuge(res, params),
  redirect(req, res, next, { params }) {
    const location = params.location ?? 'https://redirected.invalid/';
    res.writeHead(params.status ?? 302, { location, 'content-length': 0 });
    res.end();
  },
  wrong_type(req, res, next, { params }) {
    captureAnswer(res, (answer) => {
      answer.headers['content-type'] = params.content_type ?? 'text/plain';
      sendAnswer(res, answer);
    });
    return next();
  },
  half_event(req, res, next) {
    captureAnswer(res, (answer) => sendHalfEvent(res, answer));
    return next();
  },
};

function refuse(res, status, params, fallback) {
  const body = typeof params.body === 'object' ? JSON.stringify(params.body) : params.body;
  const type = params.content_type ?? 'application/json';
  const headers = { 'content-type': type, ...params.headers };
  if (params.retry_after !== undefined) headers['retry-after'] = String(params.retry_after);
  sendAnswer(res, { status, headers, body: Buffer.from(body ?? fallback) });
}

/** A JSON string that does not end before the asked size; stops when the client goes away. */
function sendHuge(res, params) {
  const piece = Buffer.alloc(1 << 20, 'a');
  let left = params.mib ?? 50;
  const type = params.content_type ?? 'application/json';
  res.writeHead(params.status ?? 200, { 'content-type': type });
  res.write('{"data":"');
  const pump = () => {
    while (left > 0 && !res.destroyed) {
      left -= 1;
      if (!res.write(piece)) return res.once('drain', pump);
    }
    return res.end('"}');
  };
  pump();
}

/** Cuts inside the data of an event; a JSON answer is dressed as an event first. */
function sendHalfEvent(res, answer) {
  const isStream = String(answer.headers['content-type']).startsWith('text/event-stream');
  const event = isStream ? answer.body.toString() : `event: message\ndata: ${answer.body}\n\n`;
  const start = event.lastIndexOf('data: {');
  const cut = start + Math.floor((event.length - start) / 2);
  const headers = { ...answer.headers, 'content-type': 'text/event-stream' };
  delete headers['content-length'];
  delete headers['transfer-encoding'];
  res.writeHead(200, headers);
  res.end(event.slice(0, cut));
}
