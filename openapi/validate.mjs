// Holds the contract to its own rules: every example is valid against its schema, every object is
// closed, every operation says who may call it. Usage: node validate.mjs openapi.yaml
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];
const ROLES = ['viewer', 'reviewer', 'admin', 'owner'];
const ACCESS = ['public', 'user', 'operator', ...ROLES];
// What is read from a source depends on its kind, what is audited on the action.
const OPEN_OBJECTS = ['ParsedFields', 'AuditDetail'];
// Fields of replies that may be left out: the routes that were not set, what a failure has not.
const OPTIONAL = {
  Failure: ['field', 'limit'],
  Routes: ['charge', 'refund', 'payout', 'dispute', 'fee', 'customer', 'subscription',
    'supplier_invoice', 'client_invoice', 'credit_note'],
};
const REFERENCES_MAX = 32;
const JSON_TYPE = /^application\/(?:[a-z-]+\+)?json$/;
const SCHEMA_REFERENCE = /^#\/components\/schemas\/(\w+)$/;

const escapeKey = (key) => key.replace(/~/g, '~0').replace(/\//g, '~1');
const unescapeKey = (key) => decodeURIComponent(key).replace(/~1/g, '/').replace(/~0/g, '~');

/** Follows `$ref` within the document; answers the value and where it stands. */
function resolve(document, value, pointer) {
  for (let n = 0; typeof value?.$ref === 'string'; n += 1) {
    if (n === REFERENCES_MAX) throw new Error(`${pointer}: a circle of references`);
    pointer = value.$ref;
    value = pointer.slice(2).split('/').reduce((node, key) => node?.[unescapeKey(key)], document);
    if (value === undefined) throw new Error(`${pointer}: nothing there`);
  }
  return { value, pointer };
}

function* operations(document) {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      const pointer = `#/paths/${escapeKey(path)}/${method}`;
      yield { path, method, pointer, item, operation: item[method] };
    }
  }
}

/** All media types of requests and replies; `required` where an example has to be. */
function* bodies(document) {
  for (const { pointer, operation } of operations(document)) {
    const parts = Object.entries(operation.responses).map(([status, value]) => (
      { value, pointer: `${pointer}/responses/${status}`, required: status.startsWith('2') }));
    if (operation.requestBody) {
      const value = operation.requestBody;
      parts.push({ value, pointer: `${pointer}/requestBody`, required: true });
    }
    for (const { value, pointer: at, required } of parts) {
      const found = resolve(document, value, at);
      for (const [type, media] of Object.entries(found.value.content ?? {})) {
        const mediaPointer = `${found.pointer}/content/${escapeKey(type)}`;
        yield { pointer: mediaPointer, media, required: required && JSON_TYPE.test(type) };
      }
    }
  }
}

function* examplesOf(document, media, pointer) {
  if ('example' in media) yield { value: media.example, pointer: `${pointer}/example` };
  for (const [name, example] of Object.entries(media.examples ?? {})) {
    const found = resolve(document, example, `${pointer}/examples/${name}`);
    yield { value: found.value.value, pointer: found.pointer };
  }
}

function checkExamples(document, report) {
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  addFormats(ajv);
  ajv.addSchema(document, 'contract');
  const done = new Set();
  for (const { pointer, media, required } of bodies(document)) {
    if (done.has(pointer)) continue;
    done.add(pointer);
    const examples = [...examplesOf(document, media, pointer)];
    if (required && examples.length === 0) report(pointer, 'has no example');
    if (examples.length === 0) continue;
    const check = ajv.compile({ $ref: `contract${encodeURI(pointer)}/schema` });
    for (const example of examples) {
      if (check(example.value)) continue;
      for (const { instancePath, message, params } of check.errors) {
        report(example.pointer, `${instancePath || '/'} ${message} ${JSON.stringify(params)}`);
      }
    }
  }
  return done.size;
}

const isObject = (schema) => Boolean(schema.properties)
  || [].concat(schema.type ?? []).includes('object');
const isClosed = (schema) => schema.additionalProperties === false
  || schema.unevaluatedProperties === false || typeof schema.additionalProperties === 'object';
/** Bases are open, so that others can build on them with allOf and close themselves. */
const isBase = (name) => /.Fields$/.test(name) && !OPEN_OBJECTS.includes(name);

function checkClosed(document, report) {
  const visit = (schema, pointer, mayBeOpen) => {
    if (!schema || typeof schema !== 'object') return;
    if (!mayBeOpen && isObject(schema) && !isClosed(schema)) report(pointer, 'is an open object');
    for (const [key, part] of Object.entries(schema.properties ?? {})) {
      visit(part, `${pointer}/properties/${key}`);
    }
    for (const key of ['items', 'additionalProperties']) visit(schema[key], `${pointer}/${key}`);
    for (const key of ['anyOf', 'oneOf', 'allOf']) {
      (schema[key] ?? []).forEach((part, index) => visit(part, `${pointer}/${key}/${index}`));
    }
  };
  for (const [name, schema] of Object.entries(document.components.schemas)) {
    visit(schema, `#/components/schemas/${name}`, isBase(name) || OPEN_OBJECTS.includes(name));
  }
}

/** Names of the schemas that replies are made of. */
function replySchemas(document) {
  const names = new Set();
  const visit = (node) => {
    if (!node || typeof node !== 'object') return;
    const name = typeof node.$ref === 'string' && node.$ref.match(SCHEMA_REFERENCE)?.[1];
    if (name && !names.has(name)) {
      names.add(name);
      visit(document.components.schemas[name]);
    }
    Object.values(node).forEach(visit);
  };
  for (const { operation } of operations(document)) {
    for (const reply of Object.values(operation.responses)) {
      visit(resolve(document, reply, '').value.content);
    }
  }
  return names;
}

/** Fields of a schema and of what it builds on. */
function fieldsOf(document, schema) {
  const parts = [schema, ...(schema.allOf ?? []).map((part) => resolve(document, part, '').value)];
  return {
    names: parts.flatMap((part) => Object.keys(part.properties ?? {})),
    required: parts.flatMap((part) => part.required ?? []),
  };
}

function checkReplies(document, report) {
  for (const name of replySchemas(document)) {
    if (isBase(name)) continue;
    const { names, required } = fieldsOf(document, document.components.schemas[name]);
    for (const key of names) {
      if (required.includes(key) || OPTIONAL[name]?.includes(key)) continue;
      report(`#/components/schemas/${name}`, `${key} is not always there in replies`);
    }
  }
}

function statusesExpected(operation, parameters, isInWorkspace) {
  const access = operation['x-access'];
  const statuses = ['default'];
  if (access !== 'public') statuses.push('401');
  if (!['public', 'viewer'].includes(access)) statuses.push('403');
  if (isInWorkspace) statuses.push('404');
  if (parameters.includes('Idempotency-Key')) statuses.push('400', '409', '422');
  if (parameters.includes('If-Match')) statuses.push('412');
  if (parameters.includes('cursor')) statuses.push('400');
  if (operation.requestBody) statuses.push('400');
  // The form of a page of ours is read as a query is; fields of JSON are refused by name.
  if (operation.requestBody?.content?.['application/json']) statuses.push('422');
  return statuses;
}

function checkOperation(document, { path, method, pointer, item, operation }, report) {
  const access = operation['x-access'];
  if (!ACCESS.includes(access)) report(pointer, 'x-access is missing or unknown');
  const isInWorkspace = path.includes('{workspace_id}');
  if (isInWorkspace !== ROLES.includes(access)) report(pointer, 'roles are for workspaces');
  const schemes = { public: [], user: ['session'], operator: ['session'] }[access]
    ?? ['session', 'api_key'];
  const security = operation.security ?? document.security;
  if (security.map((scheme) => Object.keys(scheme)).join() !== schemes.join()) {
    report(pointer, `security does not fit the access: ${JSON.stringify(security)}`);
  }
  const parameters = [...(item.parameters ?? []), ...(operation.parameters ?? [])]
    .map((parameter) => resolve(document, parameter, pointer).value.name);
  const idempotency = operation['x-idempotency'];
  const hasKey = parameters.includes('Idempotency-Key');
  if (!['required', 'none'].includes(idempotency)) report(pointer, 'x-idempotency is missing');
  if ((idempotency === 'required') !== hasKey) report(pointer, 'x-idempotency lies');
  if (isInWorkspace && hasKey !== (method === 'post')) report(pointer, 'POST needs a key');
  if (parameters.includes('cursor') !== parameters.includes('limit')) {
    report(pointer, 'cursor and limit go together');
  }
  for (const status of statusesExpected(operation, parameters, isInWorkspace)) {
    if (!operation.responses[status]) report(pointer, `reply ${status} is missing`);
  }
}

/** Everything that is wrong with a parsed contract, as {pointer, text}, and how much was seen. */
export function examine(document) {
  const findings = [];
  const report = (pointer, text) => findings.push({ pointer, text });
  const bodyCount = checkExamples(document, report);
  checkClosed(document, report);
  checkReplies(document, report);
  const all = [...operations(document)];
  for (const entry of all) checkOperation(document, entry, report);
  return { findings, bodyCount, operationCount: all.length };
}

export function load(file) {
  return parse(readFileSync(file, 'utf8'), { maxAliasCount: -1 });
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const file = process.argv[2] ?? 'openapi.yaml';
  const { findings, bodyCount, operationCount } = examine(load(file));
  for (const { pointer, text } of findings) console.error(`${pointer}: ${text}`);
  console.log(`${file}: ${operationCount} operations, ${bodyCount} bodies, `
    + `${findings.length} findings`);
  process.exitCode = findings.length === 0 && operationCount > 0 ? 0 : 1;
}
