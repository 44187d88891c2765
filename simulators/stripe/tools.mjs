// The tools of the simulated MCP server: their schemas and what calling them answers.
//
// Of the ten tools, those that read and write Stripe's objects and those that describe the
// operations are simulated. The four that talk about documentation, plans, analytics and feedback
// are listed, because a client sees them at the real server, and say that they are not served.

import { OPERATIONS, StripeError, missingParameters, runOperation } from './operations.mjs';

const SPEC_VERSION = '2026-08-26.preview';
const SEARCH_LIMIT_DEFAULT = 5;
const SEARCH_LIMIT_MAX = 20;

const text = (description) => ({ type: 'string', description });
const CONTEXT = {
  stripe_context: text('The account, from list_available_accounts_or_orgs.'),
  livemode: { type: 'boolean', description: 'Whether that account is live.' },
};
const OPERATION = { stripe_api_operation_id: text('OpenAPI operation id, such as GetCharges.') };
const PARAMETERS = { parameters: { type: 'object', description: 'Path, query and body as one.' } };

const schema = (properties, required = Object.keys(properties)) => ({
  type: 'object', properties, required,
});

const ACCOUNTS_OUTPUT = schema({
  accounts: {
    type: 'array',
    items: schema({ stripe_context: { type: 'string' }, livemode: { type: 'boolean' },
      name: { type: 'string' } }, ['stripe_context', 'livemode']),
  },
});

/** @type {{name: string, description: string, inputSchema: object, outputSchema?: object}[]} */
export const TOOLS = [
  { name: 'stripe_api_read', description: 'Runs a GET operation of the Stripe API.',
    inputSchema: schema({ ...OPERATION, ...PARAMETERS, ...CONTEXT }),
    annotations: { readOnlyHint: true } },
  { name: 'stripe_api_write', description: 'Runs a POST operation of the Stripe API.',
    inputSchema: schema({ ...OPERATION, ...PARAMETERS, ...CONTEXT,
      human_confirmation: schema({ approval_token: text('From an approved request.') }) },
    ['stripe_api_operation_id', 'parameters', 'stripe_context', 'livemode']),
    annotations: { readOnlyHint: false, destructiveHint: true } },
  { name: 'stripe_api_search', description: 'Finds operations by intent.',
    inputSchema: schema({ intent: text('What is wanted.'), resource: text('Kind of object.'),
      ...CONTEXT, limit: { type: 'integer', minimum: 1, maximum: SEARCH_LIMIT_MAX,
        default: SEARCH_LIMIT_DEFAULT } },
    ['intent', 'resource', 'stripe_context', 'livemode']),
    annotations: { readOnlyHint: true } },
  { name: 'stripe_api_details', description: 'Describes one operation.',
    inputSchema: schema({ ...OPERATION, ...CONTEXT }), annotations: { readOnlyHint: true } },
  { name: 'list_available_accounts_or_orgs', description: 'Lists the accounts of this session.',
    inputSchema: schema({}), outputSchema: ACCOUNTS_OUTPUT, annotations: { readOnlyHint: true } },
  { name: 'manage_stripe_accounts', description: 'Where a person changes the consent.',
    inputSchema: schema({}) },
  { name: 'stripe_analytics', description: 'Not served by this simulator.',
    inputSchema: { type: 'object' } },
  { name: 'search_stripe_documentation', description: 'Not served by this simulator.',
    inputSchema: { type: 'object' } },
  { name: 'stripe_implementation_planner', description: 'Not served by this simulator.',
    inputSchema: { type: 'object' } },
  { name: 'send_stripe_mcp_feedback', description: 'Not served by this simulator.',
    inputSchema: { type: 'object' } },
];

const HEADERS = { stripe_context: 'Stripe-Context', livemode: 'Stripe-Livemode' };

/** The tools as they are listed: with param_headers they say what headers are to repeat. */
export const toolsOf = ({ param_headers: on, era }) => (on && era !== 'legacy'
  ? TOOLS.map(withHeaders) : TOOLS);

function withHeaders(tool) {
  const properties = Object.entries(tool.inputSchema.properties ?? {}).map(([name, property]) => [
    name, HEADERS[name] ? { ...property, 'x-mcp-header': HEADERS[name] } : property]);
  return { ...tool,
    inputSchema: { ...tool.inputSchema, properties: Object.fromEntries(properties) } };
}

const bare = (value) => ({ content: [{ type: 'text', text: JSON.stringify(value) }] });
/** @returns a result that is an error in words: all that a client gets */
export const toolError = (words) => ({ isError: true, content: [{ type: 'text', text: words }] });

/**
 * @param {object} world accounts, factories, clock, switches, randomId, reconsentOrigin
 * @param {string} name
 * @param {object} args
 */
export function callTool(world, name, args) {
  const tool = TOOLS.find((it) => it.name === name);
  if (!tool) return toolError(`MCP error -32602: Tool ${name} not found`);
  const wrong = wrongArgument(tool.inputSchema, args);
  if (wrong) {
    return toolError(`MCP error -32602: Input validation error: Invalid arguments for tool ${name}:`
      + ` ${wrong}`);
  }
  const serve = SERVED[name];
  return serve ? serve(world, args) : toolError(`${name} is not served by this simulator.`);
}

/** Presence and type of what the schema names. @returns {string | null} */
function wrongArgument({ properties = {}, required = [] }, args) {
  const missing = required.find((name) => args[name] === undefined);
  if (missing) return `${missing} is required`;
  for (const [name, { type }] of Object.entries(properties)) {
    if (args[name] !== undefined && !isOf(type, args[name])) return `${name} must be ${type}`;
  }
  return null;
}

function isOf(type, value) {
  if (type === 'integer') return Number.isInteger(value);
  if (type === 'object') {
    return typeof value === 'object' && value !== null && !Array.isArray(value);
  }
  return typeof value === type;
}

/**
 * The session check of calls that name an account: the only channel outside JSON-RPC.
 * @returns {string | null} the sentence of the refusal
 */
export function contextRefusal(accounts, args) {
  const { stripe_context: context, livemode } = args;
  if (typeof context !== 'string' || typeof livemode !== 'boolean') return null;
  const account = accounts.find((it) => it.id === context);
  if (!account) {
    return 'No account found for the provided stripe_context and livemode. Use the '
      + 'list_available_accounts_or_orgs tool to see the accounts you can access.';
  }
  if (account.livemode === livemode) return null;
  const kind = account.livemode ? 'live' : 'sandbox';
  return `The provided account ${context} is a ${kind} account. Retry with livemode set to `
    + `${account.livemode}.`;
}

const SERVED = {
  stripe_api_read: (world, args) => runTool(world, args, 'get'),
  stripe_api_write: (world, args) => runTool(world, args, 'post'),

  stripe_api_search(world, { intent, resource, limit = SEARCH_LIMIT_DEFAULT }) {
    const wanted = words(`${intent} ${resource}`);
    const scored = [...OPERATIONS.values()].map((operation) => {
      const own = words(`${operation.id} ${operation.summary} ${operation.tags.join(' ')}`);
      return { operation, score: wanted.filter((word) => own.includes(word)).length };
    });
    const data = scored.filter(({ score }) => score > 0)
      .toSorted((a, b) => b.score - a.score)
      .slice(0, Math.min(Math.max(limit, 1), SEARCH_LIMIT_MAX))
      .map(({ operation: { id, method, path, summary } }) => ({ id, method, path, summary }));
    return bare({ openapi_spec_version: SPEC_VERSION, data });
  },

  stripe_api_details(world, { stripe_api_operation_id: id }) {
    const operation = OPERATIONS.get(id);
    if (!operation) return notAvailable(id);
    const { run, ...described } = operation;
    return bare({ ...described, description: described.summary, keywords: described.tags,
      openapi_spec_version: SPEC_VERSION });
  },

  list_available_accounts_or_orgs(world) {
    const accounts = world.accounts.map(({ id, livemode, name }) => (
      { stripe_context: id, livemode, name }));
    return { ...bare({ accounts }), structuredContent: { accounts } };
  },

  manage_stripe_accounts: (world) => bare({
    reconsent_url: `${world.reconsentOrigin}/mcp/oauth2/authorize/sessions/oases_${world.newId()}`,
  }),
};

const words = (phrase) => [...new Set(
  phrase.replace(/([a-z])([A-Z])/g, '$1 $2').toLowerCase().match(/[a-z]{3,}/g) ?? [],
)].map((word) => word.replace(/s$/, ''));

const notAvailable = (id) => toolError(`Operation '${id}' is not available. `
  + 'Use stripe_api_search to find available operations.');

function runTool(world, args, method) {
  const { stripe_api_operation_id: id, parameters } = args;
  const operation = OPERATIONS.get(id);
  if (!operation || operation.method !== method) return notAvailable(id);
  const missing = missingParameters(operation, parameters);
  if (missing) {
    return toolError(`Missing required ${missing[0]} parameters: ${missing[1].join(', ')}`);
  }
  if (method === 'post' && world.switches.write_approval
    && !world.approvals.delete(args.human_confirmation?.approval_token)) {
    return bare(askApproval(world));
  }
  const account = world.accounts.find((it) => it.id === args.stripe_context);
  const context = { account, nowS: world.clock.nowS(), factory: world.factories.get(account.id) };
  try {
    return bare(runOperation(operation, context, parameters));
  } catch (error) {
    if (!(error instanceof StripeError)) throw error;
    const hint = `\n\nUse stripe_api_details with stripe_api_operation_id: "${id}" to see all `
      + 'required and optional parameters.';
    return toolError(`Stripe API error: ${error.message}${error.hint ? hint : ''}`);
  }
}

/** The token becomes valid when a person approves: here at once; it serves one write. */
function askApproval(world) {
  const id = world.newId();
  world.approvals.add(`aptok_${id}`);
  return { approval_request_id: `apr_${id}`,
    approval_url: `https://dashboard.stripe.example/approvals/apr_${id}#aptok_${id}` };
}
