// What can be changed about the simulated Qonto while it runs. One row per switch; the control
// API refuses any name or value that is not here.

/**
 * @type {Record<string,
 *   {type: string, default: any, values?: string[], min?: number, about: string}>}
 */
export const SWITCHES = {
  consent: {
    type: 'choice', values: ['auto', 'deny', 'ask'], default: 'auto',
    about: 'what the member answers on the consent page; "ask" shows a page with two buttons',
  },
  staging_gate: {
    type: 'boolean', default: true,
    about: 'as in the sandbox: without X-Qonto-Staging-Token every answer is an HTML login page',
  },
  staging_header_case_sensitive: {
    type: 'boolean', default: false,
    about: 'accept the staging header in its documented capitalisation only',
  },
  plan: {
    type: 'choice', values: ['business', 'solo_basic'], default: 'business',
    about: 'on "solo_basic" supplier invoices cannot be read (403), only created',
  },
  attachment_scope: {
    type: 'choice', values: ['attachment.read', 'organization.read'], default: 'attachment.read',
    about: 'the scope that opens GET /v2/attachments; the documents of 2025 and 2026 differ',
  },
  rate_limit: {
    type: 'boolean', default: true,
    about: '429 after 1,000 requests in 10 s or 10,000 in 10 min from one address',
  },
  rate_limit_retry_after: {
    type: 'boolean', default: false, about: 'a 429 carries Retry-After',
  },
  unauthorized_throttle: {
    type: 'boolean', default: true,
    about: 'an address that got more than 200 answers of 401 within an hour is throttled',
  },
  transactions_single_status: {
    type: 'boolean', default: true,
    about: 'only one of several status[] values is honoured, as was observed',
  },
  transactions_error_field: {
    type: 'choice', values: ['message', 'detail'], default: 'message',
    about: 'the name of the text in a 400 of the transactions list',
  },
  past_end: {
    type: 'choice', values: ['empty', 'unprocessable'], default: 'empty',
    about: 'the answer to a page beyond the last one: an empty page, or 422',
  },
  bulk_error_source: {
    type: 'choice', values: ['object', 'array'], default: 'object',
    about: 'the form of "source" in the errors of a bulk answer; both are documented',
  },
  bulk_invoices_max: {
    type: 'integer', min: 1, default: 20, about: 'invoices per bulk request (5 in older documents)',
  },
  bulk_key_s: {
    type: 'integer', min: 0, default: 1800,
    about: 'how long an idempotency key of a bulk upload is remembered; not documented',
  },
  analysis_delay_s: {
    type: 'integer', min: 0, default: 30,
    about: 'seconds of the clock between an upload and analyzed_at',
  },
  search_delay_s: {
    type: 'integer', min: 0, default: 0,
    about: 'seconds of the clock until a new invoice can be found with query=',
  },
  transaction_attachment_delay_s: {
    type: 'integer', min: 0, default: 5,
    about: 'seconds of the clock until a file sent to a transaction appears on it',
  },
  extra_fields: {
    type: 'boolean', default: true,
    about: 'objects carry fields, and some carry enum values, that no document mentions',
  },
  refresh_revokes_access: {
    type: 'boolean', default: false,
    about: 'a refresh ends the access tokens that were issued before it',
  },
  reuse_kills_grant: {
    type: 'boolean', default: false,
    about: 'a refresh token used after its grace period ends the whole grant, not only itself',
  },
  nested_beneficiaries: {
    type: 'boolean', default: false,
    about: 'beneficiaries carry their bank details in "bank_account", as in the sandbox',
  },
};

/** @param {string} name @param {any} value */
function check(name, value) {
  const row = Object.hasOwn(SWITCHES, name) ? SWITCHES[name] : null;
  if (!row) throw new RangeError(`unknown switch: ${name}`);
  const fits = row.type === 'boolean' ? typeof value === 'boolean'
    : row.type === 'choice' ? row.values.includes(value)
    : Number.isSafeInteger(value) && value >= row.min;
  if (!fits) throw new RangeError(`switch ${name} does not take ${JSON.stringify(value)}`);
}

/** The switches of one simulated Qonto; read a value with `get`. */
export function createSwitches() {
  const values = Object.fromEntries(Object.entries(SWITCHES).map(([k, row]) => [k, row.default]));
  return {
    /** @param {string} name */
    get(name) {
      if (!Object.hasOwn(values, name)) throw new RangeError(`unknown switch: ${name}`);
      return values[name];
    },
    /** All or nothing: one bad value and none is taken. @param {Record<string, any>} changes */
    set(changes) {
      for (const [name, value] of Object.entries(changes)) check(name, value);
      Object.assign(values, changes);
    },
    all: () => ({ ...values }),
  };
}
