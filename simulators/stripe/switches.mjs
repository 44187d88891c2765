// What of the simulated Stripe can be chosen while it runs. The defaults are what was measured at
// the real one, or the more demanding of two guesses where nothing was. POST
// /control/stripe/switches sets any of them; an unknown name or a wrong type is refused.

const bool = (fallback, what) => ({ fallback, what, ok: (v) => typeof v === 'boolean' });
const oneOf = (fallback, choices, what) => ({ fallback, what, ok: (v) => choices.includes(v) });
const count = (fallback, most, what) => ({
  fallback, what, ok: (v) => Number.isInteger(v) && v >= 0 && v <= most,
});
const textOrNull = (what) => ({
  fallback: null, what, ok: (v) => v === null || (typeof v === 'string' && v !== ''),
});
const textsOrNull = (what) => ({
  fallback: null,
  what,
  ok: (v) => v === null || (Array.isArray(v) && v.every((it) => typeof it === 'string')),
});

export const SWITCHES = Object.freeze({
  era: oneOf('legacy', ['legacy', 'modern', 'both'], 'of MCP that is spoken: revisions up to '
    + '2025-11-25, revision 2026-07-28, or what the request is'),
  notices: bool(false, 'legacy: changes of tools and resources are told; from the next session on'),
  input_required: oneOf('off', ['off', 'person', 'state'], 'modern: before anything is done calls '
    + 'want the answer of a person, or only what the server had in mind'),
  param_headers: bool(false, 'modern: headers repeat the account and the mode of a call'),
  cache_ttl_ms: count(0, 86_400_000, 'modern: how long lists may be taken for true'),
  sessions: bool(true, 'Mcp-Session-Id is issued and needed; for connections made from now on'),
  response: oneOf('sse', ['sse', 'json'], 'how requests are answered, from the next session on'),
  get_stream: bool(true, 'GET opens a stream (with sessions); otherwise 405'),
  resumption: oneOf('off', ['off', 'priming', 'poll'], 'priming: events have ids, an empty one '
    + 'comes first; poll: calls end their stream early, to be resumed. From the next session on'),
  retry_ms: count(100, 60_000, 'how long a client waits before it resumes'),
  ping_first: bool(false, 'calls ping the client on their stream and fail when it does not answer'),
  chunk_bytes: count(0, 1 << 20, 'answers leave in pieces of so many bytes; 0: as they come'),
  tools_page: count(0, 100, 'tools per page of tools/list; 0: all on one page'),
  dcr_status: oneOf(201, [200, 201], 'status of a successful registration'),
  redirect_uris_allowed: textsOrNull('registrations of other redirect URIs are refused'),
  consent: oneOf('approve', ['approve', 'deny', 'page'], 'what the person does; page: asks one'),
  resource_required: bool(true, 'authorize without resource ends on the dashboard, token fails'),
  rotate_refresh_tokens: bool(true, 'each refresh issues a new refresh token'),
  access_token_ttl_s: count(3600, 86_400 * 365, 'lifetime of the access tokens issued from now on'),
  callback_iss: oneOf('right', ['right', 'none', 'wrong'], 'the iss parameter of the callback'),
  callback_iss_advertised: bool(false, 'the flag for it in the metadata; not seen at Stripe'),
  metadata_issuer: textOrNull('another issuer in the metadata document'),
  token_resource: textOrNull('access tokens are bound to this resource instead'),
  write_approval: bool(false, 'stripe_api_write asks for a human confirmation first'),
});

/** @returns {{values: object, set: (changes: object) => object}} values is live: read it late */
export function createSwitches() {
  const values = Object.fromEntries(
    Object.entries(SWITCHES).map(([name, { fallback }]) => [name, fallback]));
  return {
    values,
    set(changes) {
      for (const [name, value] of Object.entries(changes ?? {})) {
        if (!Object.hasOwn(SWITCHES, name)) throw new TypeError(`no switch "${name}"`);
        if (!SWITCHES[name].ok(value)) throw new TypeError(`wrong value of "${name}"`);
      }
      Object.assign(values, changes);
      return { ...values };
    },
  };
}
