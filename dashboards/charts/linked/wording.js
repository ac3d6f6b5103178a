// Values as people read them: the rules of tocsin/client/wording.py, which a test holds beside these.

const NO_DATA = 'no data'
const SECONDS = { ns: 1e-9, us: 1e-6, 'µs': 1e-6, ms: 1e-3, s: 1, min: 60, h: 3600 }
const BELOW = [['ms', 1e-3], ['µs', 1e-6], ['ns', 1e-9]]
const ABOVE = [['d', 86400], ['h', 3600], ['min', 60], ['s', 1]]

const grouped = (text) => {
  const [whole, rest] = text.split('.')
  return whole.replace(/\B(?=(\d{3})+$)/g, ',') + (rest === undefined ? '' : `.${rest}`)
}

export function number(value) {
  if (value === null || value === undefined || Number.isNaN(value)) return NO_DATA
  const size = Math.abs(value)
  if (size === Infinity) return value > 0 ? '∞' : '-∞'
  if (size === 0) return '0'
  if (size < 1e-6 || size >= 1e15) {
    return String(Number(value.toPrecision(3)).toExponential()).replace(/e([+-])(\d)$/, 'e$10$2')
  }
  const text = grouped(value.toFixed(Math.max(0, 2 - Math.floor(Math.log10(size)))))
  return text.includes('.') ? text.replace(/\.?0+$/, '') : text
}

export function duration(seconds) {
  if (seconds < 0) return `-${duration(-seconds)}`
  const rounded = Number(seconds.toPrecision(3))
  if (rounded >= 60) {
    let rest = Math.round(seconds)
    const parts = []
    for (const [unit, size] of ABOVE) {
      const count = Math.floor(rest / size)
      rest -= count * size
      if (count) parts.push(`${grouped(String(count))} ${unit}`)
    }
    return parts.slice(0, 2).join(' ')
  }
  if (rounded >= 1 || rounded === 0) return `${number(seconds)} s`
  const [unit, size] = BELOW.find((row) => rounded >= row[1]) ?? BELOW[2]
  return `${number(seconds / size)} ${unit}`
}

export function quantity(value, unit) {
  if (value === null || value === undefined || Number.isNaN(value)) return NO_DATA
  if (unit in SECONDS && Number.isFinite(value)) return duration(value * SECONDS[unit])
  if (unit.startsWith('1/') || unit.startsWith('/')) return number(value) + unit.replace(/^1/, '')
  return unit === '' || unit === '1' ? number(value) : `${number(value)} ${unit}`
}

export function moment(timeMs, utc) {
  const at = new Date(timeMs)
  const zone = utc ? 'UTC' : undefined
  const day = at.toLocaleDateString('sv-SE', { timeZone: zone })
  const clock = at.toLocaleTimeString('sv-SE', { timeZone: zone })
  if (utc) return `${day} ${clock} UTC`
  const parts = new Intl.DateTimeFormat('en-GB', { timeZoneName: 'short' }).formatToParts(at)
  return `${day} ${clock} ${parts.find((part) => part.type === 'timeZoneName')?.value ?? ''}`.trim()
}
