// Holds the contract to its own rules: every example is valid against its schema, every object is closed,
// every operation says who may call it. Usage: node validate.mjs openapi.yaml
import { readFileSync } from 'node:fs';
import { pathToFileURL } from 'node:url';
import Ajv2020 from 'ajv/dist/2020.js';
import addFormats from 'ajv-formats';
import { parse } from 'yaml';

const METHODS = ['get', 'put', 'post', 'delete', 'patch'];
const ACCESS = ['public', 'user', 'operator', 'viewer', 'reviewer', 'admin', 'owner'];
const OPEN_OBJECTS = ['ParsedFields']; // what is read from a source depends on its kind
const JSON_TYPE = /^application\/(?:[a-z-]+\+)?json$/;

const escapePointer = (key) => key.replace(/~/g, '~0').replace(/\//g, '~1');

/** Follows `$ref` within the document; answers the value and where it stands. */
function resolve(document, value, pointer) {
  let seen = 0;
  while (value && typeof value === 'object' && typeof value.$ref === 'string') {
    if (++seen > 32) throw new Error(`${pointer}: a circle of references`);
    pointer = value.$ref;
    value = pointer.slice(2).split('/').reduce(
      (node, key) => node?.[decodeURIComponent(key).replace(/~1/g, '/').replace(/~0/g, '~')], document);
    if (value === undefined) throw new Error(`${pointer}: nothing there`);
  }
  return { value, pointer };
}

function* operations(document) {
  for (const [path, item] of Object.entries(document.paths)) {
    for (const method of METHODS.filter((name) => item[name])) {
      const pointer = `#/paths/${escapePointer(path)}/${method}`;
      yield { path, method, pointer, item, operation: item[method] };
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

/** All media types of requests and replies: {pointer, media, type, required}. */
function* bodies(document) {
  for (const { pointer, operation } of operations(document)) {
    const parts = Object.entries(operation.responses).map(([status, value]) =>
      ({ value, pointer: `${pointer}/responses/${status}`, required: status.startsWith('2') }));
    if (operation.requestBody) {
      parts.push({ value: operation.requestBody, pointer: `${pointer}/requestBody`, required: true });
    }
    for (const part of parts) {
      const found = resolve(document, part.value, part.pointer);
      for (const [type, media] of Object.entries(found.value.content ?? {})) {
        yield {
          pointer: `${found.pointer}/content/${escapePointer(type)}`, media, type, required: part.required,
        };
      }
    }
  }
}

function checkExamples(document, report) {
  const ajv = new Ajv2020({ allErrors: true, strict: false });
  addFormats(ajv);
  ajv.addSchema(document, 'contract');
  const done = new Set();
  for (const { pointer, media, type, required } of bodies(document)) {
    if (done.has(pointer)) continue;
    done.add(pointer);
    const examples = [...examplesOf(document, media, pointer)];
    if (required && JSON_TYPE.test(type) && examples.length === 0) report(pointer, 'has no example');
    if (examples.length === 0) continue;
    const check = ajv.compile({ $ref: `contract${encodeURI(pointer)}/schema` });
    for (const example of examples) {
      if (check(example.value)) continue;
      for (const error of check.errors) {
        report(example.pointer, `${error.instancePath || '/'} ${error.message} ${JSON.stringify(error.params)}`);
      }
    }
  }
  return done.size;
}

/** Schemas that replies are made of, as component names. */
function replySchemas(document) {
  const names = new Set();
  const visit = (node) => {
    if (!node || typeof node !== 'object') return;
    const name = typeof node.$ref === 'string' && node.$ref.match(/^#\/components\/schemas\/(\w+)$/)?.[1];
    if (name && !names.has(name)) {
      names.add(name);
      visit(document.components.schemas[name]);
    }
    Object.values(node).forEach(visit);
  };
  for (const { operation } of operations(document)) {
    for (const reply of Object.values(operation.responses)) visit(resolve(document, reply, '').value.content);
  }
  return names;
}

const isObject = (schema) => [].concat(schema.type ?? []).includes('object') || schema.properties;

function checkSchemas(document, report) {
  const schemas = document.components.schemas;
  const bases = Object.keys(schemas).filter((name) => name.endsWith('Fields') && schemas[name].properties
    && !('additionalProperties' in schemas[name]));
  const closedElsewhere = new Set(bases);
  const visit = (schema, pointer, name) => {
    if (!schema || typeof schema !== 'object') return;
    if (Array.isArray(schema)) {
      schema.forEach((part, index) => visit(part, `${pointer}/${index}`));
      return;
    }
    if (isObject(schema) && !closedElsewhere.has(name) && !OPEN_OBJECTS.includes(name)) {
      const closed = schema.additionalProperties === false || schema.unevaluatedProperties === false
        || typeof schema.additionalProperties === 'object';
      if (!closed && !pointer.endsWith('/AuditEntry/properties/detail')) report(pointer, 'is an open object');
    }
    for (const [key, part] of Object.entries(schema.properties ?? {})) visit(part, `${pointer}/properties/${key}`);
    for (const key of ['items', 'anyOf', 'oneOf', 'allOf', 'additionalProperties']) {
      if (schema[key]) visit(schema[key], `${pointer}/${key}`);
    }
  };
  for (const [name, schema] of Object.entries(schemas)) visit(schema, `#/components/schemas/${name}`, name);
  return bases;
}

function checkReplies(document, report) {
  const optional = { Failure: ['field', 'limit'] };
  const inputs = ['SettingsFields', 'Routes', 'Policies', 'Notify']; // partly filled by their nature
  for (const name of replySchemas(document)) {
    const schema = document.components.schemas[name];
    if (inputs.includes(name)) continue;
    for (const key of Object.keys(schema.properties ?? {})) {
      if (schema.required?.includes(key) || optional[name]?.includes(key)) continue;
      report(`#/components/schemas/${name}`, `${key} is not always there in replies`);
    }
  }
}

function checkOperation(document, { path, method, pointer, item, operation }, report) {
  if (!ACCESS.includes(operation['x-access'])) report(pointer, 'x-access is missing or unknown');
  const inWorkspace = path.includes('{workspace_id}');
  const isRole = ACCESS.indexOf(operation['x-access']) >= ACCESS.indexOf('viewer');
  if (inWorkspace !== isRole) report(pointer, 'a role is for paths within a workspace, and only for those');
  const security = JSON.stringify(operation.security ?? document.security);
  const expected = { public: '[]', user: '[{"session":[]}]', operator: '[{"session":[]}]' }[operation['x-access']]
    ?? '[{"session":[]},{"api_key":[]}]';
  if (security !== expected) report(pointer, `security does not fit the access: ${security}`);
  const names = [...(item.parameters ?? []), ...(operation.parameters ?? [])]
    .map((parameter) => resolve(document, parameter, pointer).value.name);
  const keyed = operation['x-idempotency'] === 'required';
  if (!['required', 'none'].includes(operation['x-idempotency'])) report(pointer, 'x-idempotency is missing');
  if (keyed !== names.includes('Idempotency-Key')) report(pointer, 'x-idempotency and its header differ');
  if (inWorkspace && keyed !== (method === 'post')) report(pointer, 'every POST in a workspace is idempotent');
  for (const status of expectedStatuses(operation, names, inWorkspace)) {
    if (!operation.responses[status]) report(pointer, `reply ${status} is missing`);
  }
  if (names.includes('cursor') !== names.includes('limit')) report(pointer, 'cursor and limit go together');
}

function expectedStatuses(operation, names, inWorkspace) {
  const statuses = ['default'];
  if (operation['x-access'] !== 'public') statuses.push('401');
  if (!['public', 'viewer'].includes(operation['x-access'])) statuses.push('403');
  if (inWorkspace) statuses.push('404');
  if (names.includes('Idempotency-Key')) statuses.push('400', '409', '422');
  if (names.includes('If-Match')) statuses.push('412');
  if (names.includes('cursor')) statuses.push('400');
  if (operation.requestBody) statuses.push('400', '422');
  return statuses;
}

/** All findings about a parsed contract, as {pointer, text}; and what was looked at. */
export function findings(document) {
  const found = [];
  const report = (pointer, text) => found.push({ pointer, text });
  const bodiesChecked = checkExamples(document, report);
  checkSchemas(document, report);
  checkReplies(document, report);
  let count = 0;
  for (const entry of operations(document)) {
    checkOperation(document, entry, report);
    count += 1;
  }
  return { found, bodiesChecked, operations: count };
}

if (import.meta.url === pathToFileURL(process.argv[1] ?? '').href) {
  const file = process.argv[2] ?? 'openapi.yaml';
  const result = findings(parse(readFileSync(file, 'utf8'), { maxAliasCount: -1 }));
  for (const { pointer, text } of result.found) console.error(`${pointer}: ${text}`);
  console.log(`${file}: ${result.operations} operations, ${result.bodiesChecked} bodies with schemas, `
    + `${result.found.length} findings`);
  process.exitCode = result.found.length === 0 && result.operations > 0 ? 0 : 1;
}
