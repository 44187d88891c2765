// A small client of our own API, and of a person's browser: what the demonstration and the stories
// over HTTP share. Every answer that is not the expected one is an error that shows the problem.

import { randomUUID } from 'node:crypto';

export class ApiError extends Error {
  constructor(method, path, status, body) {
    super(`${method} ${path} answered ${status}: ${body?.detail ?? body?.title ?? JSON.stringify(body)}`);
    this.status = status;
    this.problem = body;
  }
}

/** Calls with one credential: `bearer` is an access token or an API key. */
export class Api {
  /** @param {{base: string, bearer?: string, observe?: Function}} options */
  constructor({ base, bearer, observe }) {
    this.base = base;
    this.bearer = bearer;
    this.observe = observe;
  }

  as(bearer) {
    return new Api({ base: this.base, bearer, observe: this.observe });
  }

  /** The raw answer: {status, headers, body}; body is parsed when it is JSON. */
  async call(method, path, { body, headers = {}, key } = {}) {
    const sent = { accept: 'application/json', ...headers };
    if (this.bearer) sent.authorization = `Bearer ${this.bearer}`;
    if (body !== undefined) sent['content-type'] = 'application/json';
    if (method === 'POST' && key !== null) sent['idempotency-key'] = key ?? randomUUID();
    const answer = await fetch(this.base + path, {
      method,
      headers: sent,
      body: body === undefined ? undefined : JSON.stringify(body),
      redirect: 'manual',
    });
    const bytes = Buffer.from(await answer.arrayBuffer());
    const type = answer.headers.get('content-type') ?? '';
    const parsed = /json/.test(type) ? JSON.parse(bytes.toString('utf8')) : bytes;
    this.observe?.({ method, path, status: answer.status, type, body: parsed, bytes });
    return { status: answer.status, headers: answer.headers, body: parsed };
  }

  async expect(status, method, path, options) {
    const answer = await this.call(method, path, options);
    if (answer.status !== status) throw new ApiError(method, path, answer.status, answer.body);
    return answer.body;
  }

  get(path) {
    return this.expect(200, 'GET', path);
  }

  /** Every row of a list, page by page. */
  async all(path) {
    const rows = [];
    let cursor = null;
    do {
      const separator = path.includes('?') ? '&' : '?';
      const page = await this.get(
        `${path}${separator}limit=100${cursor ? `&cursor=${encodeURIComponent(cursor)}` : ''}`,
      );
      rows.push(...page.data);
      cursor = page.next_cursor;
    } while (cursor);
    return rows;
  }
}

/** A browser as far as an authorisation needs one: follows redirects and keeps cookies per origin. */
export class Browser {
  /** @param {{observe?: Function}} options told every answer on the way, redirects too */
  constructor({ observe } = {}) {
    this.jar = new Map();
    this.observe = observe;
  }

  #cookies(origin) {
    return [...(this.jar.get(origin) ?? new Map())].map(([name, value]) => `${name}=${value}`).join('; ');
  }

  #keep(origin, answer) {
    const jar = this.jar.get(origin) ?? new Map();
    for (const line of answer.headers.getSetCookie()) {
      const [pair] = line.split(';');
      const at = pair.indexOf('=');
      if (/max-age=0|expires=thu, 01 jan 1970/i.test(line)) jar.delete(pair.slice(0, at));
      else jar.set(pair.slice(0, at), pair.slice(at + 1));
    }
    this.jar.set(origin, jar);
  }

  #tell(url, { status, headers }, bytes) {
    const { origin, pathname: path } = new URL(url);
    const type = headers.get('content-type') ?? '';
    this.observe?.({ origin, method: 'GET', path, status, type, bytes });
  }

  /** Opens a URL and follows until a page without a redirect, or until `stopAt` matches. */
  async open(url, { stopAt } = {}) {
    for (let hops = 0; hops < 20; hops += 1) {
      const { origin } = new URL(url);
      const cookie = this.#cookies(origin);
      const answer = await fetch(url, { redirect: 'manual', headers: cookie ? { cookie } : {} });
      this.#keep(origin, answer);
      const bytes = Buffer.from(await answer.arrayBuffer());
      this.#tell(url, answer, bytes);
      const location = answer.headers.get('location');
      if (!location) return { url, status: answer.status, text: bytes.toString('utf8') };
      url = new URL(location, url).href;
      if (stopAt?.test(url)) return { url, status: answer.status, text: '' };
    }
    throw new Error(`more than 20 redirects; the last one to ${url}`);
  }
}

export const sleep = (ms) => new Promise((resolve) => setTimeout(resolve, ms));

/** Asks until `ask` gives something, at most `seconds`. */
export async function until(what, ask, { seconds = 60, everyMs = 200 } = {}) {
  const end = Date.now() + seconds * 1000;
  let last;
  for (;;) {
    last = await ask();
    if (last) return last;
    if (Date.now() > end) throw new Error(`${what} did not happen within ${seconds} s`);
    await sleep(everyMs);
  }
}
