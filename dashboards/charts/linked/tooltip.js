// What a tooltip says: the moment, and of each row its lines, the highest first, in their unit.

import { moment, quantity } from './wording.js'

const MOST = 12

const QUIET = { fontSize: '11px', opacity: 0.85, paddingLeft: '20px' }

const part = (tag, text, style) => {
  const made = document.createElement(tag)
  if (text !== undefined) made.textContent = text
  Object.assign(made.style, style ?? {})
  return made
}

export function tooltip(points, { series, units, titles, utc }) {
  const box = part('div', undefined, { maxWidth: '340px' })
  if (!points.length) return box
  box.append(part('div', moment(points[0].axisValue, utc), { fontWeight: 600, marginBottom: '2px' }))
  units.forEach((unit, row) => {
    const own = points
      .filter((one) => series[one.seriesIndex]?.yAxisIndex === row)
      .filter((one) => !series[one.seriesIndex].silent && Array.isArray(one.value))
    const known = own.filter((one) => typeof one.value[1] === 'number')
    known.sort((a, b) => b.value[1] - a.value[1])
    if (!own.length) return
    box.append(part('div', titles[row], { fontSize: '11px', opacity: 0.85, marginTop: '4px' }))
    if (!known.length) box.append(part('div', 'no data', { fontSize: '12px' }))
    for (const one of known.slice(0, MOST)) {
      box.append(line(one, unit))
      const range = usual(points, series, series[one.seriesIndex].id)
      if (range) box.append(part('div', `usual ${range.map((end) => quantity(end, unit)).join(' to ')}`, QUIET))
    }
    const more = known.length - MOST
    if (more > 0) box.append(part('div', `and ${more} more`, { fontSize: '11px', opacity: 0.85 }))
  })
  return box
}

// The band of a line: its foot is a series of its own, and its height stands upon that.
function usual(points, series, id) {
  const [low, height] = ['low', 'high'].map(
    (end) => points.find((one) => series[one.seriesIndex]?.id === `${id}:band-${end}`)?.value?.[1],
  )
  return typeof low === 'number' && typeof height === 'number' ? [low, low + height] : null
}

function line(one, unit) {
  const row = part('div', undefined, { display: 'flex', gap: '8px', fontSize: '12px' })
  const name = part('span', one.seriesName.replace(/\u200b/g, ''), {
    flex: '1', overflow: 'hidden', textOverflow: 'ellipsis', whiteSpace: 'nowrap',
  })
  const colour = part('span', undefined, {
    width: '12px', height: '3px', alignSelf: 'center', background: one.color, flex: 'none',
  })
  const value = part('strong', quantity(one.value[1], unit), { fontWeight: 600, whiteSpace: 'nowrap' })
  row.append(colour, name, value)
  return row
}
