// After all stories: every operation of the contract was reached with success, and no answer broke it.
import { readFileSync } from 'node:fs';
import { join } from 'node:path';
import { Contract } from './contract.mjs';

const contract = new Contract(new URL('../../../openapi/openapi.yaml', import.meta.url));
const lines = readFileSync(join(process.argv[2], 'contract.jsonl'), 'utf8')
  .split('\n')
  .filter(Boolean)
  .map((line) => JSON.parse(line));
const seen = new Set(lines.flatMap((line) => line.seen));
const violations = [...new Set(lines.flatMap((line) => line.violations))];
const untouched = contract.operations
  .map((it) => it.operation.operationId)
  .filter((id) => !seen.has(id));
for (const violation of violations.slice(0, 40)) console.error(`breaks the contract: ${violation}`);
for (const id of untouched) console.error(`no story reached ${id}`);
console.error(
  `${seen.size} of ${contract.operations.length} operations reached, ${violations.length} answers broke the contract`,
);
process.exitCode = violations.length + untouched.length > 0 ? 1 : 0;
