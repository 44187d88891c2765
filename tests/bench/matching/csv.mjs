// The public sets are CSV.

/** RFC 4180, as far as these files go. */
export function parseCsv(text) {
    const rows = []
    let row = [], field = '', quoted = false
    for (let i = 0; i < text.length; i++) {
        const c = text[i]
        if (quoted && c === '"' && text[i + 1] === '"') field += text[i++]
        else if (c === '"') quoted = !quoted
        else if (!quoted && c === ',') { row.push(field); field = '' }
        else if (!quoted && c === '\n') { rows.push([...row, field.replace(/\r$/, '')]); row = []; field = '' }
        else field += c
    }
    if (field || row.length) rows.push([...row, field])
    const [header, ...rest] = rows
    return rest.map(cells => Object.fromEntries(header.map((name, i) => [name, cells[i] ?? ''])))
}
