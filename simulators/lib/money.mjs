// Currencies of the simulated world: minor units by Stripe's table, and fixed rates to the euro,
// which is what the account settles in.

/** Minor units per unit is ten to this power. */
export const EXPONENT = Object.freeze({ eur: 2, usd: 2, gbp: 2, jpy: 0, kwd: 3 });
const EUR_PER_UNIT = Object.freeze({ eur: 1, usd: 0.9, gbp: 1.15, jpy: 0.006, kwd: 3 });

/** "1234.50" of 123450 minor units of a two-decimal currency. */
export function decimal(minor, currency) {
  const exponent = exponentOf(currency);
  const digits = String(Math.abs(minor)).padStart(exponent + 1, '0');
  const whole = digits.slice(0, digits.length - exponent);
  const sign = minor < 0 ? '-' : '';
  return exponent === 0 ? `${sign}${whole}` : `${sign}${whole}.${digits.slice(-exponent)}`;
}

/** The settlement in euro cents and the rate, null where no conversion happens. */
export function settle(minor, currency) {
  const rate = EUR_PER_UNIT[currency];
  if (rate === undefined) throw new RangeError(`no rate for currency "${currency}"`);
  const cents = Math.round((minor / 10 ** exponentOf(currency)) * rate * 100);
  return { cents, rate: currency === 'eur' ? null : rate };
}

/** Turns an amount of the order of so many euros into minor units of a currency. */
export function fromEuroCents(cents, currency) {
  const minor = Math.round((cents / 100 / EUR_PER_UNIT[currency]) * 10 ** exponentOf(currency));
  // Charges in a three-decimal currency must end in zero.
  return exponentOf(currency) === 3 ? Math.round(minor / 10) * 10 : minor;
}

function exponentOf(currency) {
  const exponent = EXPONENT[currency];
  if (exponent === undefined) throw new RangeError(`unknown currency "${currency}"`);
  return exponent;
}
