#!/usr/bin/env node
// How good `sluice match` is: runs it on public sets and on generated worlds, and writes a report.
//
//   evaluate.mjs PROGRAM TRAINER OUT_DIRECTORY
//
// PROGRAM is build/PRESET/sluice, TRAINER build/PRESET/matcher/train/sluice-train (it writes the
// worlds). Writes report.md, reliability.svg and coverage.svg. Of sets that training saw, only
// records of clusters that it did not see are counted; the ledger is whole. Intervals are from
// resampling clusters, 2.5 % to 97.5 %.

import { execFileSync } from 'node:child_process'
import { mkdirSync, readFileSync, writeFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { fileURLToPath } from 'node:url'
import { clustersOf, inTraining } from './split.mjs'
import { coverageSvg, reliabilitySvg } from './pictures.mjs'

const here = dirname(fileURLToPath(import.meta.url))
const FLOW = 0.85, HOLD = 0.55, MARGIN = 0.9, BINS = 15, RESAMPLES = 300, FLOOR_ROUNDS = 100
const [program, trainer, out] = process.argv.slice(2)
if (!out) {
    console.error('usage: evaluate.mjs PROGRAM TRAINER OUT_DIRECTORY')
    process.exit(2)
}

/** mulberry32 */
function randomFrom(seed) {
    let state = seed >>> 0
    return () => {
        state = (state + 0x6d2b79f5) >>> 0
        let t = Math.imul(state ^ (state >>> 15), state | 1)
        t ^= t + Math.imul(t ^ (t >>> 7), t | 61)
        return ((t ^ (t >>> 14)) >>> 0) / 2 ** 32
    }
}

const sets = [
    ...[0, 0.15, 0.5].map(share => ({ name: `transactions, ${share * 100} % without an entry`,
        profile: 'bank_transaction', set: 'transactions', share, column: 'description' })),
    { name: 'transactions, 15 %, memo as counterparty', profile: 'bank_transaction',
        set: 'transactions', share: 0.15, column: 'counterparty' },
    ...[0, 0.15, 0.5].flatMap(share => ['patstat-nl', 'fake1000'].map(set =>
        ({ name: `${set}, ${share * 100} % without an entry`, profile: 'company', set, share }))),
    { name: 'name-pairs, all names at once', profile: 'company', set: 'name-pairs', share: 0 },
    ...['bank_transaction', 'invoice', 'company'].flatMap(profile => [-1, 0, 0.15, 0.5].map(share =>
        ({ name: `worlds, ${share < 0 ? 'as they are' : `${share * 100} % without an entry`}`,
            profile, set: 'worlds', share }))),
]

// ---- running ----

function convert(test, directory) {
    const options = ['--null-share', String(test.share)]
    if (test.column) options.push('--column', test.column)
    execFileSync('node', [join(here, 'convert.mjs'), test.set, directory, ...options])
    return [directory]
}

function worlds(test, directory) {
    execFileSync(trainer, ['worlds', test.profile, String(test.share), directory])
    return readFileSync(join(directory, 'list.txt'), 'utf8').trim().split('\n')
}

function decide(test, directory) {
    const path = name => join(directory, name)
    execFileSync(program, ['match', '--profile', test.profile, '--records', path('records.csv'),
        '--ledger', path('ledger.csv'), '--out', path('decisions.jsonl')], { stdio: 'pipe' })
    const truth = new Map()
    for (const line of readFileSync(path('truth.csv'), 'utf8').trim().split('\n').slice(1)) {
        const [id, entry] = line.split(',')
        truth.set(id, (truth.get(id) ?? new Set()).add(entry))
    }
    const cluster = clustersOf(test.set)
    return readFileSync(path('decisions.jsonl'), 'utf8').trim().split('\n').map(line => {
        const decision = JSON.parse(line)
        const right = truth.get(decision.record)
        const places = decision.candidates.map(candidate => right?.has(candidate.entry) ?? false)
        return {
            cluster: cluster ? cluster(decision.record) : `${directory} ${decision.record}`,
            p: decision.p,
            links: decision.action === 'link',
            right: decision.action === 'link' ? right?.has(decision.entry) ?? false : !right,
            exists: Boolean(right),
            place: places.indexOf(true),
        }
    }).filter(claim => !cluster || !inTraining(test.set, claim.cluster))
}

// ---- measuring ----

const mean = list => list.reduce((sum, value) => sum + value, 0) / (list.length || 1)
const share = (list, test) => mean(list.map(item => Number(test(item))))

function bins(claims) {
    const sorted = [...claims].sort((a, b) => a.p - b.p)
    return Array.from({ length: BINS }, (_, i) =>
        sorted.slice(Math.floor(sorted.length * i / BINS), Math.floor(sorted.length * (i + 1) / BINS)))
        .filter(bin => bin.length)
        .map(bin => ({ n: bin.length, p: mean(bin.map(c => c.p)), right: share(bin, c => c.right) }))
}

const ece = claims =>
    bins(claims).reduce((sum, bin) => sum + bin.n * Math.abs(bin.p - bin.right), 0) / claims.length

/** What the error would be if every p were true. */
function noiseFloor(claims, random) {
    return mean(Array.from({ length: FLOOR_ROUNDS }, () =>
        ece(claims.map(claim => ({ p: claim.p, right: random() < claim.p })))))
}

function wilsonLower(right, n) {
    const z = 1.96, centre = right + z * z / (2 * n)
    return n ? (centre - z * Math.sqrt(right * (1 - right) / n + z * z / (4 * n * n))) / (1 + z * z / n) : 0
}

function measures(claims) {
    const existing = claims.filter(c => c.exists), flow = claims.filter(c => c.p >= FLOW)
    const review = claims.filter(c => c.p < FLOW && c.p >= HOLD), refused = claims.filter(c => c.p < HOLD)
    const margin = flow.filter(c => c.p < MARGIN), links = flow.filter(c => c.links)
    const asked = review.filter(c => c.exists)
    return {
        n: claims.length,
        top1: share(existing, c => c.place === 0),
        right: share(claims, c => c.right),
        ece: ece(claims),
        brier: mean(claims.map(c => (c.p - Number(c.right)) ** 2)),
        flow: flow.length / claims.length,
        flowRight: share(flow, c => c.right),
        flowWilson: wilsonLower(share(flow, c => c.right), flow.length),
        links: links.length / claims.length,
        linksRight: share(links, c => c.right),
        margin: margin.length / claims.length,
        marginRight: share(margin, c => c.right),
        review: review.length / claims.length,
        hit1: share(asked, c => c.place === 0),
        hit3: share(asked, c => c.place >= 0 && c.place < 3),
        refused: refused.length / claims.length,
        refusedRight: share(refused, c => c.right),
        nulls: claims.length - existing.length,
        nullsRight: share(claims.filter(c => !c.exists), c => c.right),
    }
}

function intervals(claims, random) {
    const byCluster = new Map()
    for (const claim of claims) {
        if (!byCluster.has(claim.cluster)) byCluster.set(claim.cluster, [])
        byCluster.get(claim.cluster).push(claim)
    }
    const clusters = [...byCluster.values()]
    const drawn = Array.from({ length: RESAMPLES }, () => {
        const sample = []
        for (let i = 0; i < clusters.length; i++)
            sample.push(...clusters[Math.floor(random() * clusters.length)])
        return measures(sample)
    })
    const range = key => {
        const sorted = drawn.map(one => one[key]).sort((a, b) => a - b)
        return [sorted[Math.floor(RESAMPLES * 0.025)], sorted[Math.floor(RESAMPLES * 0.975)]]
    }
    return { top1: range('top1'), right: range('right'), ece: range('ece'), flowRight: range('flowRight') }
}

// ---- the report ----

const percent = (value, digits = 1) => `${(100 * value).toFixed(digits)} %`
const within = (value, [low, high]) =>
    `${percent(value)} (${(100 * low).toFixed(1)}–${(100 * high).toFixed(1)})`

function row(test, m, ranges, floor) {
    return `| ${test.name} | ${m.n} | ${within(m.top1, ranges.top1)} | ${within(m.right, ranges.right)} | ` +
        `${m.ece.toFixed(4)} (floor ${floor.toFixed(4)}) | ${m.brier.toFixed(4)} | ${percent(m.flow)} | ` +
        `${percent(m.flowRight, 2)} (${(100 * m.flowWilson).toFixed(2)}) | ${percent(m.links)}, ` +
        `${percent(m.linksRight, 2)} | ${percent(m.margin)}, ${percent(m.marginRight)} | ` +
        `${percent(m.review)}, ${percent(m.hit1)}, ${percent(m.hit3)} | ` +
        `${percent(m.refused)}, ${percent(m.refusedRight)} | ${m.nulls ? percent(m.nullsRight) : '–'} |`
}

const heading = '| set | n | top-1 | right | ECE | Brier | flow: share | flow: right (Wilson) | ' +
    'flowing links: share, right | 0.85–0.90: share, right | review: share, hit@1, hit@3 | ' +
    'refused: share, right all the same | no entry exists: said so |\n' + '|---'.repeat(13) + '|'

const lines = ['# How good `sluice match` is', '',
    'Written by `tests/bench/matching/run`. What the words mean: `matcher/README.md`.', '']
const curves = []
for (const profile of ['bank_transaction', 'invoice', 'company']) {
    lines.push(`## ${profile}`, '', heading)
    for (const test of sets.filter(one => one.profile === profile)) {
        const random = randomFrom(20261120)
        const directory = join(out, `${profile} ${test.name}`.replaceAll(/[^a-z0-9]+/g, '-'))
        mkdirSync(directory, { recursive: true })
        const directories = test.set === 'worlds' ? worlds(test, directory) : convert(test, directory)
        const claims = directories.flatMap(each => decide(test, each))
        const m = measures(claims)
        lines.push(row(test, m, intervals(claims, random), noiseFloor(claims, random)))
        console.log(lines.at(-1))
        curves.push({ name: `${profile}: ${test.name}`, claims, bins: bins(claims) })
    }
    lines.push('')
}
lines.push('![Claimed and seen](reliability.svg)', '', '![Coverage and precision](coverage.svg)', '')
writeFileSync(join(out, 'report.md'), lines.join('\n'))
const shown = curves.filter(curve => /15 % without|as they are/.test(curve.name))
writeFileSync(join(out, 'reliability.svg'), reliabilitySvg(shown))
writeFileSync(join(out, 'coverage.svg'), coverageSvg(shown))
