// The checks of validate.mjs find what they are for: each test breaks the contract in one place.
import { strict as assert } from 'node:assert';
import { readFileSync } from 'node:fs';
import { test } from 'node:test';
import { examine, load } from './validate.mjs';

const file = new URL('./openapi.yaml', import.meta.url);
const approve = '/v1/workspaces/{workspace_id}/review/{item_id}/approve';

/** The findings after `change` has been made to a fresh copy of the contract. */
function findingsAfter(change) {
  const document = structuredClone(load(file));
  change(document);
  return examine(document).findings.map(({ pointer, text }) => `${pointer} ${text}`);
}

function assertFinds(pattern, change) {
  const found = findingsAfter(change);
  assert.ok(found.some((line) => pattern.test(line)), `not found: ${pattern}\n${found.join('\n')}`);
}

test('the contract as it is has no findings', () => {
  const { findings, bodyCount, operationCount } = examine(load(file));
  assert.deepEqual(findings, []);
  assert.ok(operationCount > 60 && bodyCount > 80);
});

test('an example with an unknown field is found, also behind allOf', () => {
  assertFinds(/examples\/Workspace.*additional/, (document) => {
    document.components.examples.Workspace.value.colour = 'blue';
  });
  assertFinds(/examples\/ItemDetail.*unevaluated/, (document) => {
    document.components.examples.ItemDetail.value.colour = 'blue';
  });
});

test('an example that lacks a field or has a wrong value is found', () => {
  assertFinds(/examples\/Integration.*required.*closed_before/, (document) => {
    delete document.components.examples.Integration.value.settings.policies.closed_before;
  });
  assertFinds(/examples\/Problem.*format/, (document) => {
    document.components.examples.Problem.value.id = '17';
  });
  assertFinds(/approve.*examples\/create/, (document) => {
    const body = document.paths[approve].post.requestBody.content['application/json'];
    body.examples.create.value.candidate = '01930f5c-0000-7000-8000-0000000000e1';
  });
});

test('a body without an example is found', () => {
  assertFinds(/responses\/Me.*has no example/, (document) => {
    delete document.components.responses.Me.content['application/json'].examples;
  });
});

test('an open object and a reply field that may be missing are found', () => {
  assertFinds(/schemas\/Money is an open object/, (document) => {
    delete document.components.schemas.Money.additionalProperties;
  });
  assertFinds(/schemas\/Policies closed_before is not always there/, (document) => {
    document.components.schemas.Policies.required.pop();
  });
});

test('an operation that does not say who may call it, or is keyless, is found', () => {
  assertFinds(/approve\/post x-access is missing/, (document) => {
    delete document.paths[approve].post['x-access'];
  });
  assertFinds(/approve\/post POST needs a key/, (document) => {
    document.paths[approve].post.parameters.shift();
    document.paths[approve].post['x-idempotency'] = 'none';
  });
  assertFinds(/me\/get security does not fit/, (document) => {
    delete document.paths['/v1/me'].get.security;
  });
  assertFinds(/me\/get reply 403 is missing/, (document) => {
    delete document.paths['/v1/me'].get.responses['403'];
  });
});

test('the codes of failures are those of the registry in the server', () => {
  const registry = readFileSync(new URL('../server/base/err.h', import.meta.url), 'utf8');
  const codes = [...registry.matchAll(/X\(ERR_\w+,\s*\d+,\s*"(\w+)"/g)].map((match) => match[1]);
  assert.ok(codes.length > 40);
  assert.deepEqual([...load(file).components.schemas.FailureCode.enum].sort(), codes.sort());
});
