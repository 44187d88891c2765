#!/usr/bin/env node
// Public data sets as the CSV files that `sluice match` reads, with the truth beside them.
//
//   convert.mjs SET OUT_DIRECTORY [--column counterparty|description] [--times N] [--null-share S]
//               [--seed N]
//
// SET: transactions, patstat-nl, fake1000, name-pairs (tests/data/matching). Writes records.csv,
// ledger.csv and truth.csv (id, entry; no line for a record without an entry).
//   --column      transactions: which column the memo becomes (default: description)
//   --times       transactions: this many copies; all but the first with noise of their own
//   --null-share  so large a share of the entries (of the organisations) is left out of the ledger
// Seeded: the same call writes the same bytes.

import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseArgs } from 'node:util'
import { parseCsv } from './csv.mjs'

const data = join(dirname(fileURLToPath(import.meta.url)), '../../data/matching')

const { values: options, positionals } = parseArgs({
    allowPositionals: true,
    options: {
        column: { type: 'string', default: 'description' },
        times: { type: 'string', default: '1' },
        'null-share': { type: 'string', default: '0' },
        seed: { type: 'string', default: '1' },
    },
})
const [set, directory] = positionals
const nullShare = Number(options['null-share'])

/** mulberry32: small, seeded, good enough for noise. */
function randomFrom(seed) {
    let state = seed >>> 0
    return () => {
        state = (state + 0x6d2b79f5) >>> 0
        let t = Math.imul(state ^ (state >>> 15), state | 1)
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
        return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
    }
}
const random = randomFrom(Number(options.seed))

const read = path => parseCsv(readFileSync(join(data, path), 'utf8'))

const quote = value => /[",\r\n]/.test(value) ? `"${value.replaceAll('"', '""')}"` : value

function write(name, columns, rows) {
    const lines = rows.map(row => columns.map(column => quote(String(row[column] ?? ''))).join(','))
    writeFileSync(join(directory, name), [columns.join(','), ...lines, ''].join('\n'))
}

// ---- transactions ----


/** The same payment in another world: other letters in the memo, another amount, another day. */
function varied(memo, amount, shift) {
    const letters = [...memo].map(c => /[A-Z]/.test(c) && shift.letters[c] ? shift.letters[c] : c)
    return { memo: letters.join(''), amount: (Number(amount) * shift.factor).toFixed(2) }
}

function newShift() {
    const alphabet = [...'ABCDEFGHIJKLMNOPQRSTUVWXYZ']
    const letters = {}
    for (const c of alphabet) letters[c] = random() < 0.4 ? alphabet[Math.floor(random() * 26)] : c
    return { letters, factor: 0.6 + random(), days: Math.floor(random() * 5) }
}

const day = (date, days) =>
    new Date(Date.parse(`${date}T00:00:00Z`) + days * 86400000).toISOString().slice(0, 10)

function transactions() {
    const origin = read('transactions/origin.csv'), destination = read('transactions/destination.csv')
    const records = [], ledger = [], truth = []
    const names = new Map()
    for (let copy = 0; copy < Number(options.times); copy++) {
        const shifts = new Map()
        const shiftOf = id => {
            if (!shifts.has(id)) shifts.set(id, newShift())
            return shifts.get(id)
        }
        const rowOf = (row, prefix) => {
            const changed = copy ? varied(row.memo, row.amount, shiftOf(row.ground_truth)) : row
            const days = copy ? shiftOf(row.ground_truth).days - 2 : 0
            return { id: `${prefix}${copy}-${row.unique_id}`, date: day(row.transaction_date, days),
                amount: changed.amount, [options.column]: changed.memo }
        }
        for (const row of destination) {
            if (random() < nullShare) continue
            const entry = rowOf(row, 'd')
            names.set(`${copy}-${row.ground_truth}`, entry.id)
            ledger.push(entry)
        }
        for (const row of origin) {
            const record = rowOf(row, 'o')
            const entry = names.get(`${copy}-${row.ground_truth}`)
            records.push(record)
            if (entry) truth.push({ id: record.id, entry })
        }
    }
    return { columns: ['id', 'date', 'amount', options.column], records, ledger, truth }
}

// ---- lists of parties with the cluster that each belongs to ----

/** The first of every cluster is the entry, the others are looked up. */
function resolution(parties, columns) {
    const records = [], ledger = [], truth = [], entries = new Map()
    for (const party of parties) {
        if (!entries.has(party.cluster)) {
            const known = random() >= nullShare
            entries.set(party.cluster, known ? party.id : null)
            if (known) { ledger.push(party); continue }
        }
        records.push(party)
        const entry = entries.get(party.cluster)
        if (entry) truth.push({ id: party.id, entry })
    }
    return { columns, records, ledger, truth }
}

function patstat() {
    const seen = new Set(), parties = []
    for (const row of read('patstat-nl/patstat_reference.csv')) {
        const key = `${row.leuven_id} ${row.person_name}`
        if (seen.has(key)) continue
        seen.add(key)
        parties.push({ id: row.person_id, cluster: row.leuven_id,
            counterparty: row.person_name.replace(/^\* /, '') })
    }
    return resolution(parties, ['id', 'counterparty'])
}

function fake1000() {
    const parties = read('fake1000/fake_1000.csv').map(row => ({ id: row.unique_id,
        cluster: row.cluster, counterparty: `${row.first_name} ${row.surname}`.trim(),
        address: row.city, email: row.email }))
    return resolution(parties, ['id', 'counterparty', 'address', 'email'])
}

/** Pairs of names: an entry is right when any chain of matching pairs or equal names leads to it. */
function namePairs() {
    const cases = read('name-pairs/cases.csv').filter(row => row.schema !== 'Vessel')
    const parent = new Map()
    const root = name => {
        while (parent.has(name) && parent.get(name) !== name) name = parent.get(name)
        return name
    }
    for (const row of cases)
        if (row.is_match === 'true') parent.set(root(row.name1), root(row.name2))
    const records = [], ledger = [], byCluster = new Map()
    cases.forEach((row, i) => {
        records.push({ id: `r${i}`, counterparty: row.name1 })
        ledger.push({ id: `e${i}`, counterparty: row.name2 })
        const cluster = root(row.name2)
        byCluster.set(cluster, [...(byCluster.get(cluster) ?? []), `e${i}`])
    })
    const truth = records.flatMap(record =>
        (byCluster.get(root(record.counterparty)) ?? []).map(entry => ({ id: record.id, entry })))
    return { columns: ['id', 'counterparty'], records, ledger, truth }
}

const sets = { transactions, 'patstat-nl': patstat, fake1000, 'name-pairs': namePairs }
if (!sets[set] || !directory || !['counterparty', 'description'].includes(options.column)) {
    console.error(`usage: convert.mjs ${Object.keys(sets).join('|')} OUT_DIRECTORY [options]`)
    process.exit(2)
}
mkdirSync(directory, { recursive: true })
const { columns, records, ledger, truth } = sets[set]()
write('records.csv', columns, records)
write('ledger.csv', columns, ledger)
write('truth.csv', ['id', 'entry'], truth)
console.log(`${set}: ${records.length} records, ${ledger.length} entries, ${truth.length} pairs`)
