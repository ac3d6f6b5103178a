// The numbers of a stack as a table: for who can't see a chart, and for who wants to read one off.

import { moment, quantity } from './wording.js'

const MOST = 200

const cell = (kind, text, scope) => {
  const made = document.createElement(kind)
  made.textContent = text
  if (scope) made.scope = scope
  return made
}

export function table({ option, titles, units, utc, alt }) {
  const drawn = option.series.filter((one) => !one.silent && Array.isArray(one.data))
  const times = [...new Set(drawn.flatMap((one) => one.data.map((point) => point[0])))]
  times.sort((a, b) => b - a)
  const made = document.createElement('table')
  const more = times.length > MOST ? `, the newest ${MOST} of ${times.length} moments; CSV has all` : ''
  const caption = made.createCaption()
  caption.textContent = `Newest first${more}`
  made.setAttribute('aria-label', alt)
  const head = made.createTHead().insertRow()
  head.append(cell('th', 'Time', 'col'))
  for (const one of drawn) {
    head.append(cell('th', `${titles[one.yAxisIndex]}: ${one.name.replace(/\u200b/g, '')}`, 'col'))
  }
  const columns = drawn.map((one) => new Map(one.data.map((point) => [point[0], point[1]])))
  const body = made.createTBody()
  for (const time of times.slice(0, MOST)) {
    const row = body.insertRow()
    row.append(cell('th', moment(time, utc), 'row'))
    columns.forEach((column, at) => {
      row.append(cell('td', quantity(column.get(time), units[drawn[at].yAxisIndex])))
    })
  }
  return made
}
