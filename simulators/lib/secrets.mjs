// The register of every secret that a simulator gave out. A test reads it and searches the logs,
// the database dump and the replies of the system under test for each value.

/** Beyond this the oldest values are forgotten; a run issues far fewer. */
export const SECRETS_MAX = 100_000;

/**
 * @typedef {object} SecretRegister
 * @property {(kind: string, value: string) => void} note
 * @property {() => {kind: string, value: string}[]} all
 */

/** @returns {SecretRegister} */
export function createSecretRegister() {
  const kinds = new Map();
  return {
    note(kind, value) {
      if (typeof value !== 'string' || value === '') {
        throw new TypeError(`the secret "${kind}" is not a text`);
      }
      if (kinds.has(value)) return;
      kinds.set(value, kind);
      if (kinds.size > SECRETS_MAX) kinds.delete(kinds.keys().next().value);
    },
    all: () => [...kinds].map(([value, kind]) => ({ kind, value })),
  };
}
