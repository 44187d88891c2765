// Identifiers with true check digits: whoever validates them finds them valid.

/** A French company number: nine digits that satisfy Luhn. */
export function siren(random) {
  const digits = [...random.digits(8)].map(Number);
  const sum = digits.reduce((total, digit, index) => {
    if (index % 2 === 0) return total + digit;
    return total + (digit * 2 > 9 ? digit * 2 - 9 : digit * 2);
  }, 0);
  return digits.join('') + String((10 - (sum % 10)) % 10);
}

/** The French VAT number of a company number. */
export function frenchVat(companyNumber) {
  const key = (12 + 3 * (Number(companyNumber) % 97)) % 97;
  return `FR${String(key).padStart(2, '0')}${companyNumber}`;
}

/** A German VAT number: eight digits and their ISO 7064 MOD 11,10 digit. */
export function germanVat(random) {
  const digits = String(random.int(1, 9)) + random.digits(7);
  let product = 10;
  for (const digit of digits) {
    const sum = (Number(digit) + product) % 10 || 10;
    product = (2 * sum) % 11;
  }
  return `DE${digits}${(11 - product) % 10}`;
}

/** A British VAT number: seven digits and two that bring the weighted sum to a multiple of 97. */
export function britishVat(random) {
  const digits = random.digits(7);
  const sum = [...digits].reduce((total, digit, index) => total + Number(digit) * (8 - index), 0);
  return `GB${digits}${String(97 - (sum % 97)).padStart(2, '0')}`;
}

/** A French IBAN with its domestic key and its international check digits. */
export function frenchIban(random, bank = '16958') {
  const branch = '00001';
  const account = random.digits(11);
  const weighted = 89 * Number(bank) + 15 * Number(branch) + 3 * Number(account);
  const key = String(97 - (weighted % 97)).padStart(2, '0');
  const domestic = `${bank}${branch}${account}${key}`;
  // "FR00" in digits, moved to the end as the standard asks.
  const check = 98n - (BigInt(`${domestic}152700`) % 97n);
  return `FR${String(check).padStart(2, '0')}${domestic}`;
}
