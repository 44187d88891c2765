// The simulators' control API, as far as the demonstration and the stories use it.

export class Control {
  constructor(url) {
    this.url = url;
  }

  async #call(method, path, body) {
    const answer = await fetch(this.url + path, {
      method,
      headers: body === undefined ? {} : { 'content-type': 'application/json' },
      body: body === undefined ? undefined : JSON.stringify(body),
    });
    const text = await answer.text();
    if (!answer.ok) throw new Error(`${method} ${path} answered ${answer.status}: ${text.slice(0, 500)}`);
    return text ? JSON.parse(text) : null;
  }

  get(path) {
    return this.#call('GET', path);
  }

  post(path, body = {}) {
    return this.#call('POST', path, body);
  }

  delete(path) {
    return this.#call('DELETE', path);
  }

  fault(rule) {
    return this.post('/control/faults', rule);
  }
}
