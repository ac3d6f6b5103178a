// A stack of charts as a file: the picture, or its numbers.

const cell = (text) => (/[",\n]/.test(text) ? `"${text.replace(/"/g, '""')}"` : text)
// What a spreadsheet would take for a formula stays a text.
const inert = (text) => (/^[=+\-@\t\r]/.test(text) ? `'${text}` : text)

export function csv(series, titles, units) {
  const drawn = series.filter((one) => !one.silent && Array.isArray(one.data))
  const times = [...new Set(drawn.flatMap((one) => one.data.map((point) => point[0])))]
  times.sort((a, b) => a - b)
  const columns = drawn.map((one) => new Map(one.data.map((point) => [point[0], point[1]])))
  const heads = drawn.map((one) => {
    const row = one.yAxisIndex ?? 0
    const unit = units[row] ? ` [${units[row]}]` : ''
    return cell(inert(`${titles[row]}: ${one.name.replace(/\u200b/g, '')}${unit}`))
  })
  const lines = times.map((time) =>
    [new Date(time).toISOString(), ...columns.map((column) => column.get(time) ?? '')].join(','),
  )
  return [['time', ...heads].join(','), ...lines].join('\r\n') + '\r\n'
}

export function save(url, name) {
  const link = document.createElement('a')
  link.href = url
  link.download = name
  link.click()
}

export function saveText(text, name) {
  const url = URL.createObjectURL(new Blob([text], { type: 'text/csv' }))
  save(url, name)
  setTimeout(() => URL.revokeObjectURL(url), 10_000)
}
