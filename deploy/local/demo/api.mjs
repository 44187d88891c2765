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

/** The form of a page of ours: where it goes and what it sends; undefined where there is none. */
export function formOf(html) {
  const action = /<form method="post" action="([^"]+)">/.exec(html)?.[1];
  const inputs = html.matchAll(/<input type="hidden" name="([^"]+)" value="([^"]*)">/g);
  return action && { action, fields: new URLSearchParams([...inputs].map(([, name, value]) => [name, value])) };
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

  #tell(url, method, { status, headers }, bytes) {
    const { origin, pathname: path } = new URL(url);
    const type = headers.get('content-type') ?? '';
    this.observe?.({ origin, method, path, status, type, bytes });
  }

  /** One request with this browser's cookies; `form` makes it a POST. */
  async visit(url, form) {
    const { origin } = new URL(url);
    const method = form ? 'POST' : 'GET';
    const cookie = this.#cookies(origin);
    const headers = cookie ? { cookie } : {};
    const answer = await fetch(url, { redirect: 'manual', method, headers, body: form });
    this.#keep(origin, answer);
    const bytes = Buffer.from(await answer.arrayBuffer());
    this.#tell(url, method, answer, bytes);
    return { answer, bytes };
  }

  /** Opens the link of a connection and presses the button of the page that asks; goes on as `open` does. */
  async authorise(link, { stopAt } = {}) {
    const page = await this.open(link);
    const form = formOf(page.text);
    return page.status === 200 && form ? this.open(form.action, { stopAt, form: form.fields }) : page;
  }

  /** Opens a URL and follows until a page without a redirect, or until `stopAt` matches. */
  async open(url, { stopAt, form } = {}) {
    for (let hops = 0; hops < 20; hops += 1) {
      const { answer, bytes } = await this.visit(url, hops === 0 ? form : undefined);
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
