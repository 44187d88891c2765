// Holds every answer of the server to openapi/openapi.yaml, and remembers which operations were seen.

import { readFileSync } from 'node:fs';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];

function compilePath(path) {
  const pattern = path.replace(/[.*+?^$()|[\]\\]/g, '\\$&').replace(/\{[^}]+\}/g, '[^/]+');
  return new RegExp(`^${pattern}$`);
}

export class Contract {
  /** @param {string} file openapi.yaml */
  constructor(file) {
    this.document = parse(readFileSync(file, 'utf8'));
    this.ajv = new Ajv2020({ strict: false, allErrors: true });
    addFormats(this.ajv);
    this.ajv.addSchema(this.document, 'contract');
    this.operations = [];
    for (const [path, item] of Object.entries(this.document.paths)) {
      for (const method of METHODS.filter((name) => item[name])) {
        this.operations.push({
          method: method.toUpperCase(),
          path,
          pattern: compilePath(path),
          operation: item[method],
          literal: path.split('/').filter((part) => !part.startsWith('{')).length,
        });
      }
    }
    this.seen = new Set();
    this.violations = [];
  }

  #resolve(value) {
    let at = value;
    while (at?.$ref)
      at = at.$ref
        .slice(2)
        .split('/')
        .reduce(
          (node, key) => node[decodeURIComponent(key).replace(/~1/g, '/').replace(/~0/g, '~')],
          this.document,
        );
    return at;
  }

  find(method, path) {
    const [bare] = path.split('?');
    const fits = this.operations.filter((it) => it.method === method && it.pattern.test(bare));
    return fits.sort((a, b) => b.literal - a.literal)[0];
  }

  #pointerOf(value) {
    // Schemas stand in components; a reply names its own by reference.
    return value?.$ref ? `contract${value.$ref}` : null;
  }

  /** To be given to Api as `observe`. */
  observe = ({ method, path, status, type, body }) => {
    const found = this.find(method, path);
    if (!found) return;
    const wrong = (what) => this.violations.push(`${method} ${path} -> ${status}: ${what}`);
    if (status < 300 || (status < 400 && found.operation.responses[status]))
      this.seen.add(found.operation.operationId);
    const reply = this.#resolve(
      found.operation.responses[status] ?? found.operation.responses.default,
    );
    if (!reply) {
      wrong('the contract has no such reply');
      return;
    }
    const bare = type.split(';')[0];
    const content = reply.content?.[bare];
    if (!content) {
      if (reply.content && Object.keys(reply.content).length > 0)
        wrong(`the contract has no ${bare || 'empty'} reply here`);
      return;
    }
    if (!/json$/.test(bare) || !content.schema) return;
    const pointer = this.#pointerOf(content.schema);
    const validate = pointer ? this.ajv.getSchema(pointer) : this.ajv.compile(content.schema);
    if (!validate(body)) {
      wrong(this.ajv.errorsText(validate.errors.slice(0, 5), { dataVar: 'body' }));
    }
  };

  /** What is wrong with `value` as the named schema; null when nothing is. */
  wrongWith(schema, value) {
    const validate = this.ajv.getSchema(`contract#/components/schemas/${schema}`);
    return validate(value) ? null : this.ajv.errorsText(validate.errors, { dataVar: schema });
  }

  /** Operations that no call reached with success. */
  untouched() {
    return this.operations.map((it) => it.operation.operationId).filter((id) => !this.seen.has(id));
  }
}
