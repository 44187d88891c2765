// Reading parameters as Stripe does: texts where numbers are wanted are taken, ranges are objects.

/** An error of Stripe's API; over MCP only its sentence survives. */
export class StripeError extends Error {
  /** @param {{hint?: boolean}} [options] hint: the answer points at stripe_api_details */
  constructor(message, { hint = false } = {}) {
    super(message);
    this.hint = hint;
  }
}

export function readInteger(name, value) {
  const isText = typeof value === 'string' && /^-?\d{1,15}$/.test(value);
  if (Number.isSafeInteger(value) || isText) return Number(value);
  throw new StripeError(`Invalid integer: ${String(value).slice(0, 80)}`, { hint: true });
}

export function readText(name, value) {
  if (typeof value === 'string') return value;
  if (Number.isSafeInteger(value)) return String(value);
  throw new StripeError(`Invalid string: ${name}`, { hint: true });
}

const BOUNDS = {
  gt: (value, bound) => value > bound,
  gte: (value, bound) => value >= bound,
  lt: (value, bound) => value < bound,
  lte: (value, bound) => value <= bound,
};

/** An exact time, or an object of bounds. @returns {[string, number][]} */
export function readRange(name, value) {
  if (typeof value !== 'object' || value === null || Array.isArray(value)) {
    const exact = readInteger(name, value);
    return [['gte', exact], ['lte', exact]];
  }
  return Object.entries(value).map(([bound, limit]) => {
    if (!Object.hasOwn(BOUNDS, bound)) {
      throw new StripeError(`Received unknown parameter: ${name}[${bound}]`, { hint: true });
    }
    return [bound, readInteger(name, limit)];
  });
}

export function matchesRange(value, range) {
  return range.every(([bound, limit]) => BOUNDS[bound](value, limit));
}
