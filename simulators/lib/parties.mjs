// Invented companies and persons of three countries, and how their names look elsewhere.

import { britishVat, frenchVat, germanVat, siren } from './identifiers.mjs';

const COMPANIES = {
  FR: {
    heads: ['Boulangerie', 'Atelier', 'Menuiserie', 'Transports', 'Cabinet', 'Imprimerie',
      'Pépinières', 'Éditions', 'Fromagerie', 'Studio', 'Maçonnerie', 'Librairie'],
    tails: ['Lefèvre', 'Duhamel', 'des Tilleuls', 'Garonne', 'Saint-Cyr', 'Besançon', 'du Marais',
      'Ferrand', 'Côte Sauvage', 'Vauquelin', 'Grand-Large', 'Noisette'],
    forms: ['SAS', 'SARL', 'SA', 'EURL'],
  },
  GB: {
    heads: ['Harrow', 'Kestrel', 'Northmoor', 'Bellwether', 'Ashdown', 'Pennywell', 'Calder',
      'Thornbury', 'Wexcombe', 'Marlow'],
    tails: ['Logistics', 'Analytics', 'Catering', 'Joinery', 'Software', 'Print Works', 'Foods',
      'Consulting', 'Textiles', 'Outdoor'],
    forms: ['Ltd', 'Limited', 'LLP', 'PLC'],
  },
  DE: {
    heads: ['Müller', 'Schäfer', 'Weißenfels', 'Hofmann', 'Nordlicht', 'Brückner', 'Grünwald',
      'Köster', 'Elbtal', 'Steinhauer'],
    tails: ['Maschinenbau', 'Verlag', 'Elektrotechnik', 'Gartenbau', 'Datendienste', 'Möbelhaus',
      'Spedition', 'Feinkost', 'Medizintechnik'],
    forms: ['GmbH', 'GmbH & Co. KG', 'AG', 'UG'],
  },
};

const PERSONS = {
  FR: { given: ['Hélène', 'Baptiste', 'Noémie', 'Thibault', 'Agnès', 'Loïc', 'Maëlle', 'Cédric'],
    family: ['Rousseau', 'Lemaître', 'Guérin', 'Chauvet', 'Peltier', 'Delacroix', 'Bréant'] },
  GB: { given: ['Imogen', 'Callum', 'Priya', 'Rhys', 'Beatrix', 'Oliver', 'Zainab', 'Duncan'],
    family: ['Whitlock', 'Okafor', 'Pemberton', 'Sharma', 'MacLeod', 'Trevelyan', 'Hale'] },
  DE: { given: ['Jörg', 'Annika', 'Matthias', 'Sabine', 'Günther', 'Lena', 'Ulrich', 'Femke'],
    family: ['Weiß', 'Böttcher', 'Krüger', 'Lindemann', 'Vogelsang', 'Jäger', 'Petersen'] },
};

const PLACES = {
  FR: [['Lyon', '69003'], ['Nantes', '44000'], ['Lille', '59800'], ['Rennes', '35000']],
  GB: [['Leeds', 'LS1 4DY'], ['Bristol', 'BS1 6XN'], ['Glasgow', 'G2 3BZ']],
  DE: [['Hamburg', '20095'], ['Leipzig', '04109'], ['Köln', '50667']],
};
const STREETS = {
  FR: ['rue des Lilas', 'avenue de la Gare', 'quai du Port', 'place du Marché'],
  GB: ['Station Road', 'High Street', 'Mill Lane', 'Victoria Terrace'],
  DE: ['Bahnhofstraße', 'Lindenallee', 'Am Markt', 'Hafenweg'],
};
const LANGUAGES = { FR: 'fr', GB: 'en', DE: 'de' };

/**
 * @typedef {object} Party
 * @property {'company' | 'person'} kind
 * @property {'FR' | 'GB' | 'DE'} country
 * @property {string} language fr, en or de
 * @property {string} name
 * @property {string} email
 * @property {object} address in Stripe's shape
 * @property {{type: string, value: string}[]} taxIds empty for persons
 */

/** Parties whose names do not repeat. @returns {() => Party} */
export function partySource(random) {
  const used = new Set();
  return function next(kind) {
    const country = random.weighted([['FR', 5], ['GB', 2], ['DE', 3]]);
    let party = makeParty(random, kind, country);
    for (let i = 0; used.has(party.name); i += 1) {
      party = makeParty(random, kind, country);
      // A big world runs out of names: number them.
      if (i > 20) party.name = `${party.name} ${used.size}`;
    }
    used.add(party.name);
    return party;
  };
}

function makeParty(random, kind, country) {
  const company = kind === 'company';
  const name = company ? companyName(random, country) : personName(random, country);
  return {
    kind,
    country,
    language: LANGUAGES[country],
    name,
    email: emailOf(name, company, country),
    address: addressIn(random, country),
    taxIds: company ? taxIdsIn(random, country) : [],
  };
}

function companyName(random, country) {
  const { heads, tails, forms } = COMPANIES[country];
  return `${random.pick(heads)} ${random.pick(tails)} ${random.pick(forms)}`;
}

function personName(random, country) {
  const { given, family } = PERSONS[country];
  return `${random.pick(given)} ${random.pick(family)}`;
}

function emailOf(name, company, country) {
  const plain = withoutAccents(name).toLowerCase();
  if (!company) return `${plain.replace(/[^a-z]+/g, '.')}@mail.example`;
  const domain = plain.split(' ').slice(0, 2).join('-').replace(/[^a-z-]+/g, '');
  const box = { FR: 'compta', GB: 'accounts', DE: 'buchhaltung' }[country];
  return `${box}@${domain}.example`;
}

function addressIn(random, country) {
  const [city, postalCode] = random.pick(PLACES[country]);
  const street = random.pick(STREETS[country]);
  const number = random.int(1, 180);
  const line1 = country === 'DE' ? `${street} ${number}` : `${number} ${street}`;
  return { city, country, line1, line2: null, postal_code: postalCode, state: null };
}

function taxIdsIn(random, country) {
  if (country === 'DE') return [{ type: 'eu_vat', value: germanVat(random) }];
  if (country === 'GB') return [{ type: 'gb_vat', value: britishVat(random) }];
  const number = siren(random);
  return [{ type: 'eu_vat', value: frenchVat(number) }, { type: 'fr_siren', value: number }];
}

export function withoutAccents(text) {
  return text.normalize('NFD').replace(/\p{M}/gu, '').replace(/ß/g, 'ss');
}

/** The name as somebody typed it on an invoice: near, seldom equal. */
export function nameOnInvoice(party, random) {
  const words = party.name.split(' ');
  const form = party.kind === 'company' ? words.length : 0;
  return random.pick([
    () => party.name,
    () => party.name.toUpperCase(),
    () => withoutAccents(party.name),
    () => (form > 2 ? words.slice(0, form - 1).join(' ') : words.toReversed().join(' ')),
  ])();
}

/** The name as a bank prints it: upper case, a prefix, cut short. */
export function nameOnStatement(party, random) {
  const prefix = random.pick(['VIR SEPA ', 'VIR INST ', '', 'VIREMENT DE ']);
  return `${prefix}${withoutAccents(party.name).toUpperCase()}`.slice(0, random.int(24, 40));
}
