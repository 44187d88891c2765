// `sluice read-document` as a person runs it: a file in, JSON out, and an exit status that scripts can use.

import assert from 'node:assert/strict'
import { spawn, spawnSync } from 'node:child_process'
import { readFileSync, readdirSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { test } from 'node:test'
import { fileURLToPath } from 'node:url'

const program = process.env.SLUICE_PROGRAM
const root = join(dirname(fileURLToPath(import.meta.url)), '../..')
const invoices = join(root, 'tests/data/invoices')
const broken = 'factur-x-invalid-xml-encoding-attribute.pdf'

const read = (argument, options = {}) =>
    spawnSync(program, ['read-document', ...[argument].flat()],
        { encoding: 'utf8', env: {}, ...options })
const rows = readFileSync(join(invoices, 'expected.csv'), 'utf8').trim().split('\n').slice(1)
    .map(line => line.trim().split(','))

test('every file says what a reader of another make found in it', () => {
    for (const [file, guideline, type, grandTotal, taxTotal, duePayable, lines] of rows) {
        const done = read(join(invoices, file))
        assert.equal(done.status, 0, file + done.stderr)
        assert.equal(done.stderr, '')
        const { outcome, invoice } = JSON.parse(done.stdout)
        assert.deepEqual(
            [outcome, invoice.guideline, invoice.type_code, invoice.grand_total?.amount ?? '',
                invoice.tax?.amount ?? '', invoice.due_payable?.amount ?? '', String(invoice.line_count)],
            ['read', guideline, type, grandTotal, taxTotal, duePayable, lines], file)
    }
    const files = readdirSync(invoices).filter(name => name.endsWith('.pdf'))
    assert.deepEqual([...rows.map(row => row[0]), broken].sort(), files.sort())
})

test('a document that cannot be read is told by the exit status and a sentence', () => {
    const done = read(join(invoices, broken))
    assert.equal(done.status, 1)
    assert.deepEqual(JSON.parse(done.stdout), {
        outcome: 'unreadable', reason: 'xml_malformed', media_type: 'application/pdf',
        sentence: 'Unreadable: the invoice data is not valid XML.',
    })
})

test('a picture has no data, which is no failure', () => {
    const done = read('-', { input: Buffer.from([0xff, 0xd8, 0xff, 0xe0]) })
    assert.equal(done.status, 0)
    assert.equal(JSON.parse(done.stdout).outcome, 'no_data')
})

test('the standard input is read as a file is', () => {
    const file = join(invoices, 'Facture_FR_BASIC.pdf')
    const done = read('-', { input: readFileSync(file) })
    assert.equal(done.status, 0)
    assert.equal(done.stdout, read(file).stdout)
})

test('a document larger than allowed is not read', () => {
    const done = read('-', { input: Buffer.alloc(20 * 1024 * 1024 + 1, '<') })
    assert.equal(done.status, 1)
    assert.equal(JSON.parse(done.stdout).reason, 'too_large')
})

test('an XML file that asks for another file gets nothing', () => {
    const done = read('-', {
        input: '<?xml version="1.0"?><!DOCTYPE a [<!ENTITY b SYSTEM "file:///etc/passwd">]><a>&b;</a>' })
    assert.equal(done.status, 1)
    assert.equal(JSON.parse(done.stdout).reason, 'xml_doctype')
    assert.doesNotMatch(done.stdout, /root:/)
})

test('several at once answer each its own document', async () => {
    const some = rows.slice(0, 8)
    const answers = await Promise.all(some.map(([file]) => new Promise((resolve, reject) => {
        const child = spawn(program, ['read-document', join(invoices, file)], { env: {} })
        let text = ''
        child.stdout.on('data', data => { text += data })
        child.on('error', reject)
        child.on('close', () => resolve(JSON.parse(text)))
    })))
    assert.deepEqual(answers.map(answer => answer.invoice.grand_total.amount), some.map(row => row[3]))
})

test('a wrong command line and a missing file are told apart', () => {
    assert.equal(read([]).status, 2)
    assert.equal(read(['a', 'b']).status, 2)
    assert.equal(read('--quickly').status, 2)
    const missing = read('/nonexistent/invoice.pdf')
    assert.equal(missing.status, 1)
    assert.match(missing.stderr, /\/nonexistent\/invoice\.pdf: The file cannot be opened\./)
})

test('the help and the README name the same limits', () => {
    const done = read('--help')
    assert.equal(done.status, 0)
    const told = [...done.stdout.slice(done.stdout.indexOf('Limits: ')).matchAll(/(\w+) \d+,/g)]
        .map(match => match[1])
    const readme = readFileSync(join(root, 'connectors/document/reading/README.md'), 'utf8')
    const table = readme.slice(readme.indexOf('## Limits'), readme.indexOf('## Sources'))
    const written = [...table.matchAll(/^\| `(\w+)` \|/gm)].map(match => match[1])
    assert.equal(told.length, 10)
    assert.deepEqual(told, written)
})
