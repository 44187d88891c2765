// Which cluster a record of a public set belongs to, and whether training saw it. The same cut as
// matcher/train/sets.c makes.

import { readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { parseCsv } from './csv.mjs'

const data = join(dirname(fileURLToPath(import.meta.url)), '../../data/matching')
const WORD = (1n << 64n) - 1n, GOLDEN = 0x9e3779b97f4a7c15n, SEED = 20261120n, BLOCK_KEYS = 200

/** The first draw of SplitMix64. */
function draw(state) {
    let z = (state + GOLDEN) & WORD
    z = ((z ^ (z >> 30n)) * 0xbf58476d1ce4e5b9n) & WORD
    z = ((z ^ (z >> 27n)) * 0x94d049bb133111ebn) & WORD
    return Number((z ^ (z >> 31n)) >> 11n) / 2 ** 53
}

function column(path, key, value) {
    return new Map(parseCsv(readFileSync(join(data, path), 'utf8')).map(row => [row[key], row[value]]))
}

/** A function from the id of a record to its cluster; null: the set was never trained on. */
export function clustersOf(set) {
    if (set === 'transactions') {
        const truth = column('transactions/origin.csv', 'unique_id', 'ground_truth')
        return id => Math.floor(Number(truth.get(id.replace(/^o\d+-/, ''))) / BLOCK_KEYS)
    }
    if (set === 'patstat-nl') {
        const clusters = column('patstat-nl/patstat_reference.csv', 'person_id', 'leuven_id')
        return id => Number(clusters.get(id))
    }
    if (set === 'fake1000') {
        const clusters = column('fake1000/fake_1000.csv', 'unique_id', 'cluster')
        return id => Number(clusters.get(id))
    }
    return null
}

export function inTraining(set, cluster) {
    return draw(((BigInt(cluster) * GOLDEN) & WORD) ^ SEED) < 0.5
}
