// `sluice match` as a person runs it: files in, lines out, what it says when something is wrong.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, readFileSync, readdirSync, rmSync, statSync, symlinkSync, writeFileSync }
    from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { after, test } from 'node:test'

const program = process.env.SLUICE_PROGRAM
const directory = mkdtempSync(join(tmpdir(), 'sluice-match-'))
after(() => rmSync(directory, { recursive: true }))

const file = (name, text) => {
    writeFileSync(join(directory, name), text)
    return name
}
const run = (...options) =>
    spawnSync(program, ['match', ...options],
        { cwd: directory, encoding: 'utf8', env: {}, maxBuffer: 2 ** 26 })
const match = (profile, records, ledger, ...options) =>
    run('--profile', profile, '--records', records, '--ledger', ledger, ...options)
const linesOf = text => text.trimEnd().split('\n').map(line => JSON.parse(line))

const payments = file('payments.csv', [
    'id;date;amount;currency;counterparty;reference;cost_centre',
    'p1;2026-03-01;-1200.50;EUR;Dupont & Fils SARL;INV-2026-0042;A',
    'p2;2026-03-04;-88.10;EUR;Lumière SAS;;B',
    'p3;2026-01-02;-40000.00;EUR;"Zola; Quincaillerie";Q-99881;', ''].join('\r\n'))
const bank = file('bank.csv', [
    'ID,Amount,Currency,Date,Description',
    'b1,-1200.50,EUR,2026-03-03,VIR SEPA DUPONT ET FILS INV-2026-0042',
    'b2,-88.10,EUR,2026-03-05,PRLV LUMIERE SAS',
    'b3,-17.31,EUR,2026-03-09,"CB BOULANGERIE\nLYON"', ''].join('\n'))

test('two exports become a decision per record, in their order', () => {
    const done = match('bank_transaction', payments, bank, '--out', 'decisions.jsonl')
    assert.equal(done.status, 0, done.stderr)
    assert.equal(done.stdout, '')
    assert.equal(done.stderr, 'sluice: payments.csv: these columns are not used: cost_centre\n')
    const lines = linesOf(readFileSync(join(directory, 'decisions.jsonl'), 'utf8'))
    assert.deepEqual(lines.map(line => [line.record, line.action, line.entry]),
        [['p1', 'link', 'b1'], ['p2', 'link', 'b2'], ['p3', 'create', null]])
    assert.equal(lines[0].band, 'flow')
})

test('a line has exactly the fields that are documented', () => {
    const done = match('bank_transaction', payments, bank)
    for (const line of linesOf(done.stdout)) {
        assert.deepEqual(Object.keys(line), ['record', 'action', 'entry', 'p', 'band', 'candidates'])
        assert.ok(['flow', 'hold', 'stop'].includes(line.band))
        assert.equal(line.band, line.p >= 0.85 ? 'flow' : line.p >= 0.55 ? 'hold' : 'stop')
        assert.equal(line.action === 'link', line.entry !== null)
        assert.ok(line.p >= 0 && line.p <= 1)
        assert.ok(line.candidates.length <= 5)
        if (line.action === 'link') {
            assert.equal(line.candidates[0].entry, line.entry)
            assert.equal(line.candidates[0].p, line.p)
        }
        for (const [i, candidate] of line.candidates.entries()) {
            assert.deepEqual(Object.keys(candidate), ['entry', 'p', 'contributions'])
            assert.ok(i === 0 || candidate.p <= line.candidates[i - 1].p)
            for (const contribution of candidate.contributions) {
                assert.deepEqual(Object.keys(contribution), ['feature', 'value', 'log_odds'])
                assert.notEqual(contribution.log_odds, 0)
            }
        }
    }
})

test('every profile takes the same files', () => {
    for (const profile of ['bank_transaction', 'invoice', 'company']) {
        const done = match(profile, payments, bank)
        assert.equal(done.status, 0, done.stderr)
        assert.equal(linesOf(done.stdout).length, 3)
    }
})

test('the answer does not depend on the number of threads', () => {
    const rows = count => Array.from({ length: count }, (_, i) =>
        `${i},2026-03-${String(1 + i % 28).padStart(2, '0')},${10 + i % 97}.${10 + i % 13},` +
        `Company ${['Nord', 'Sud', 'Est', 'Ouest'][i % 4]} ${i % 211}`).join('\n')
    file('many.csv', `id,date,amount,counterparty\n${rows(700)}\n`)
    file('ledger.csv', `id,date,amount,counterparty\n${rows(500)}\n`)
    const [one, two, five] = ['1', '2', '5'].map(threads =>
        match('invoice', 'many.csv', 'ledger.csv', '--threads', threads).stdout)
    assert.equal(linesOf(one).length, 700)
    assert.equal(two, one)
    assert.equal(five, one)
})

test('what is wrong with a file is said with its line and column', () => {
    const wrong = [
        ['id,amount\n1,"12,50"\n', 'wrong.csv, line 2, column 2 (amount): "12,50" is no amount'],
        ['id\tdate\n1\t2026-01-01\n2\t31/01/2026\n',
            'wrong.csv, line 3, column 2 (date): "31/01/2026" is no date'],
        ['id\n1\n1\n', 'wrong.csv, line 3, column 1 (id): The id "1" stands on line 2 already.'],
        ['name\nx\n', 'wrong.csv, line 1, column 1: The first line must name the columns'],
        ['id,description\n1,"open\n', 'wrong.csv, line 2, column 2: A quote is opened'],
    ]
    for (const [text, message] of wrong) {
        file('wrong.csv', text)
        for (const files of [['wrong.csv', bank], [payments, 'wrong.csv']]) {
            const done = match('invoice', ...files, '--out', 'never.jsonl')
            assert.equal(done.status, 1)
            assert.ok(done.stderr.includes(`sluice: ${message}`), done.stderr)
        }
    }
    assert.ok(!readdirSync(directory).some(name => name.startsWith('never.jsonl')))
})

test('a file that is not there, a place that cannot be written', () => {
    const absent = match('invoice', 'absent.csv', bank)
    assert.equal(absent.status, 1)
    assert.match(absent.stderr, /absent\.csv cannot be read: No such file or directory\./)
    assert.match(match('invoice', '.', bank).stderr, /cannot be read: Is a directory/)
    const nowhere = match('invoice', payments, bank, '--out', 'no/such/place.jsonl')
    assert.equal(nowhere.status, 1)
    assert.match(nowhere.stderr, /no\/such\/place\.jsonl cannot be written: No such file/)
    const full = match('invoice', payments, bank, '--out', '/dev/full')
    assert.equal(full.status, 1)
    assert.match(full.stderr, /\/dev\/full cannot be written/)
})

test('the command line is checked, and help needs nothing', () => {
    const help = run('--help')
    assert.equal(help.status, 0)
    for (const word of ['--profile', 'bank_transaction', 'postcode', 'Exit status', '130'])
        assert.ok(help.stdout.includes(word), word)
    const wrong = [
        [[], /--profile is missing/],
        [['--profile', 'invoice', '--records', payments], /--ledger is missing/],
        [['--profile', 'cheque', '--records', payments, '--ledger', bank], /cheque is none of/],
        [['--profile', 'invoice', '--records', payments, '--ledger', bank, '--threads', '0'],
            /0 is no number from 1 to 16/],
        [['--colour'], /--colour is no option/],
        [['--out'], /--out needs a value/],
        [['--profile', 'invoice', '--records', payments, '--ledger', bank, '--config', 'x'],
            /match reads no configuration/],
    ]
    for (const [options, message] of wrong) {
        const done = run(...options)
        assert.equal(done.status, 2, done.stderr)
        assert.match(done.stderr, message)
        assert.equal(done.stdout, '')
    }
})

test('what was there stays until the whole answer replaces it', () => {
    file('kept.jsonl', 'old\n')
    chmodSync(join(directory, 'kept.jsonl'), 0o640)
    symlinkSync('kept.jsonl', join(directory, 'link.jsonl'))
    file('broken.csv', 'id,date\n1,never\n')
    assert.equal(match('invoice', 'broken.csv', bank, '--out', 'link.jsonl').status, 1)
    assert.equal(readFileSync(join(directory, 'kept.jsonl'), 'utf8'), 'old\n')
    assert.equal(match('invoice', payments, bank, '--out', 'link.jsonl').status, 0)
    assert.equal(linesOf(readFileSync(join(directory, 'kept.jsonl'), 'utf8')).length, 3)
    assert.ok(!readdirSync(directory).some(name => /jsonl\../.test(name)), 'no draft is left')
})

test('an interrupted run writes nothing', async () => {
    const rows = Array.from({ length: 60000 }, (_, i) =>
        `${i},2026-03-${String(1 + i % 28).padStart(2, '0')},${100 + i % 7}.00,Company ${i % 900}`)
    file('large.csv', `id,date,amount,counterparty\n${rows.join('\n')}\n`)
    const child = spawn(program, ['match', '--profile', 'invoice', '--records', 'large.csv',
        '--ledger', 'large.csv', '--out', 'cut.jsonl', '--threads', '1'], { cwd: directory, env: {} })
    let told = ''
    child.stderr.on('data', data => { told += data })
    const ended = new Promise(resolve => child.on('close', resolve))
    while (!readdirSync(directory).some(name => name.startsWith('cut.jsonl.')))
        await new Promise(resolve => setTimeout(resolve, 20))
    child.kill('SIGINT')
    assert.equal(await ended, 130)
    assert.match(told, /Interrupted; nothing was written/)
    assert.ok(!readdirSync(directory).some(name => name.startsWith('cut.jsonl')))
})

test('a pipe is read and written as well', () => {
    const done = spawnSync('bash', ['-c',
        `"${program}" match --profile invoice --records <(cat payments.csv) --ledger bank.csv ` +
        '--out /dev/stdout | cat'], { cwd: directory, encoding: 'utf8' })
    assert.equal(linesOf(done.stdout).length, 3)
    assert.ok(statSync('/dev/stdout'))
})
