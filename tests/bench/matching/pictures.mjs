// Two pictures of claims, as SVG: claimed against seen, and coverage against precision.

const WIDTH = 640, HEIGHT = 440, LEFT = 56, TOP = 16, PLOT = 360
const COLOURS = ['#1f77b4', '#d62728', '#2ca02c', '#9467bd', '#ff7f0e', '#17becf', '#8c564b', '#e377c2']

const escape = text => text.replaceAll('&', '&amp;').replaceAll('<', '&lt;')

function frame(xLabel, yLabel, ticks, content, names) {
    const grid = ticks.map(tick => `<line x1="${tick.x}" y1="${TOP}" x2="${tick.x}" y2="${TOP + PLOT}" ` +
        `stroke="#ddd"/><text x="${tick.x}" y="${TOP + PLOT + 16}" text-anchor="middle">${tick.xText}</text>` +
        `<line x1="${LEFT}" y1="${tick.y}" x2="${LEFT + PLOT}" y2="${tick.y}" stroke="#ddd"/>` +
        `<text x="${LEFT - 6}" y="${tick.y + 4}" text-anchor="end">${tick.yText}</text>`)
    const legend = names.map((name, i) => `<text x="${LEFT + PLOT + 12}" y="${TOP + 14 + 15 * i}" ` +
        `fill="${COLOURS[i % COLOURS.length]}">${escape(name)}</text>`)
    return `<svg xmlns="http://www.w3.org/2000/svg" width="${WIDTH + 160}" height="${HEIGHT}" ` +
        'font-family="sans-serif" font-size="11"><rect width="100%" height="100%" fill="white"/>' +
        `${grid.join('')}${content}<text x="${LEFT + PLOT / 2}" y="${TOP + PLOT + 36}" ` +
        `text-anchor="middle">${xLabel}</text><text transform="translate(14 ${TOP + PLOT / 2}) ` +
        `rotate(-90)" text-anchor="middle">${yLabel}</text>${legend.join('')}</svg>\n`
}

const path = (points, colour) =>
    `<polyline fill="none" stroke="${colour}" stroke-width="1.5" points="${points
        .map(([x, y]) => `${x.toFixed(1)},${y.toFixed(1)}`).join(' ')}"/>`

/** What was claimed and what was right, in bins of equal mass. */
export function reliabilitySvg(curves) {
    const x = value => LEFT + PLOT * value, y = value => TOP + PLOT * (1 - value)
    const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].map(value =>
        ({ x: x(value), y: y(value), xText: value.toFixed(1), yText: value.toFixed(1) }))
    const drawn = curves.map((curve, i) => {
        const colour = COLOURS[i % COLOURS.length]
        return path(curve.bins.map(bin => [x(bin.p), y(bin.right)]), colour) + curve.bins.map(bin =>
            `<circle cx="${x(bin.p).toFixed(1)}" cy="${y(bin.right).toFixed(1)}" r="2.5" fill="${colour}"/>`)
            .join('')
    })
    const diagonal = path([[x(0), y(0)], [x(1), y(1)]], '#999')
    return frame('claimed p', 'share that was right', ticks, diagonal + drawn.join(''),
        curves.map(curve => curve.name))
}

/** The surest share of all answers, and how much of it is right. */
export function coverageSvg(curves) {
    const LOWEST = 0.8
    const x = value => LEFT + PLOT * value
    const y = value => TOP + PLOT * (1 - (Math.max(value, LOWEST) - LOWEST) / (1 - LOWEST))
    const ticks = [0, 0.2, 0.4, 0.6, 0.8, 1].map(value => ({ x: x(value), xText: value.toFixed(1),
        y: y(LOWEST + value * (1 - LOWEST)), yText: (LOWEST + value * (1 - LOWEST)).toFixed(2) }))
    const drawn = curves.map((curve, i) => {
        const sorted = [...curve.claims].sort((a, b) => b.p - a.p)
        const points = []
        let right = 0
        sorted.forEach((claim, at) => {
            right += Number(claim.right)
            if ((at + 1) % Math.ceil(sorted.length / 100) === 0 || at + 1 === sorted.length)
                points.push([x((at + 1) / sorted.length), y(right / (at + 1))])
        })
        return path(points, COLOURS[i % COLOURS.length])
    })
    return frame('share of the answers, surest first', 'right', ticks, drawn.join(''),
        curves.map(curve => curve.name))
}
