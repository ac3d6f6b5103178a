// A stack of charts that stays put: an option that did not change is not drawn again, one that did
// is merged into what is there, so that crosshair, tooltip and hidden lines outlive a tick.

import * as echarts from './echarts.esm.min.js'
import { csv, save, saveText } from './export.js'
import { moments, titles } from './fitting.js'
import { unpacked } from './packing.js'
import { Pointing } from './pointing.js'
import { table } from './table.js'
import { tooltip } from './tooltip.js'
import { moment, quantity } from './wording.js'

const stacks = new WeakMap()

export default function (component) {
  const { parentElement } = component
  let stack = stacks.get(parentElement)
  if (!stack) {
    stack = new Stack(parentElement)
    stacks.set(parentElement, stack)
  }
  stack.send = component.setTriggerValue
  stack.take(component.data)
  return () => {
    stacks.delete(parentElement)
    stack.dispose()
  }
}

class Stack {
  constructor(parent) {
    this.host = document.createElement('div')
    this.host.className = 'stack'
    this.host.tabIndex = 0
    this.host.setAttribute('role', 'group')
    this.canvas = document.createElement('div')
    this.said = document.createElement('div')
    this.said.className = 'said'
    this.said.setAttribute('aria-live', 'polite')
    this.host.append(this.canvas, this.said)
    parent.append(this.host)
    this.numbered = this.sheet()
    this.tools()
    this.pointing = new Pointing(this.host, this)
    this.host.addEventListener('keydown', (event) => this.walk(event))
    this.drawn = ''
    this.shape = ''
    this.updates = 0
    this.watch = new ResizeObserver(() => this.resized())
    this.watch.observe(this.canvas)
  }

  dispose() {
    this.watch.disconnect()
    this.pointing.dispose()
    this.chart?.dispose()
    this.host.remove()
  }

  resized() {
    if (!this.chart) return
    this.chart.resize()
    if (this.width !== this.host.clientWidth) this.chart.setOption(this.option(this.data))
  }

  sheet() {
    const made = document.createElement('div')
    made.className = 'sheet'
    made.hidden = true
    made.tabIndex = 0
    made.setAttribute('role', 'region')
    made.setAttribute('aria-label', 'Values as a table')
    // Who reads or scrolls a table chooses no stretch of time.
    for (const kind of ['pointerdown', 'dblclick']) made.addEventListener(kind, (event) => event.stopPropagation())
    made.addEventListener('keydown', (event) => event.key === 'Escape' && this.tabulate(false))
    this.host.append(made)
    return made
  }

  tools() {
    const bar = document.createElement('div')
    bar.className = 'tools'
    const kinds = [
      ['Table', 'Read the numbers', () => this.tabulate(this.numbered.hidden)],
      ['PNG', 'Save the picture', () => this.picture()],
      ['CSV', 'Save the numbers', () => this.numbers()],
    ]
    for (const [text, title, act] of kinds) {
      const button = document.createElement('button')
      Object.assign(button, { textContent: text, title, type: 'button', onclick: act })
      button.addEventListener('pointerdown', (event) => event.stopPropagation())
      button.addEventListener('dblclick', (event) => event.stopPropagation())
      bar.append(button)
    }
    this.host.append(bar)
  }

  take(data) {
    // Nothing moves under the pointer: what comes during a drag is drawn after it.
    if (this.pointing.busy) {
      this.waiting = data
      return
    }
    const theme = this.theme()
    const told = JSON.stringify([data, theme])
    if (told === this.drawn) return
    this.drawn = told
    data = { ...data, option: unpacked(data.option) }
    this.data = data
    this.canvas.style.height = `${data.height}px`
    this.host.setAttribute('aria-label', data.alt)
    if (this.themed !== JSON.stringify(theme)) {
      this.themed = JSON.stringify(theme)
      this.chart?.dispose()
      this.chart = echarts.init(this.canvas, coloured(theme))
      this.shape = ''
    }
    const option = this.option(data)
    const shape = JSON.stringify([data.option.title, data.option.series.map((one) => one.id), data.units])
    this.chart.setOption(option, { notMerge: shape !== this.shape, lazyUpdate: false })
    this.shape = shape
    if (!this.numbered.hidden) this.numbered.replaceChildren(table(data))
    this.updates += 1
    this.host.dataset.updates = this.updates
  }

  caughtUp() {
    if (!this.waiting) return
    const data = this.waiting
    this.waiting = null
    this.take(data)
  }

  option(data) {
    const said = { series: data.option.series, units: data.units, titles: data.titles, utc: data.utc }
    const { title, series, grid, xAxis } = data.option
    this.width = this.host.clientWidth
    return {
      ...data.option,
      title: titles(title, this.width),
      series: moments(series, grid, xAxis, this.width),
      useUTC: data.utc,
      tooltip: {
        ...data.option.tooltip,
        formatter: (points) => tooltip([points].flat(), said),
        transitionDuration: 0,
        enterable: false,
      },
    }
  }

  theme() {
    const style = getComputedStyle(this.host)
    const names = ['text-color', 'background-color', 'border-color', 'font', 'secondary-background-color']
    return Object.fromEntries(names.map((name) => [name, style.getPropertyValue(`--st-${name}`).trim()]))
  }

  rowAt({ x, y }) {
    const rows = this.data?.option.grid ?? []
    const width = this.host.clientWidth
    const row = rows.findIndex((grid) => y >= grid.top && y <= grid.top + grid.height)
    return row >= 0 && x >= rows[row].left && x <= width - rows[row].right ? { row } : null
  }

  within(x) {
    const grid = this.data.option.grid[0]
    return Math.max(grid.left, Math.min(x, this.host.clientWidth - grid.right))
  }

  timeAt(x) {
    return this.chart.convertFromPixel({ xAxisIndex: 0 }, x)
  }

  placeOf(time) {
    const x = this.chart?.convertToPixel({ xAxisIndex: 0 }, time)
    return Number.isFinite(x) && this.within(x) === x ? x : null
  }

  nearest(at, most) {
    const found = this.rowAt(at)
    if (!found) return null
    const time = this.timeAt(at.x)
    let best = null
    this.data.option.series.forEach((one, index) => {
      if (one.yAxisIndex !== found.row || one.silent) return
      const point = closest(one.data, time)
      if (!point || point[1] === null) return
      const [x, y] = this.chart.convertToPixel({ seriesIndex: index }, point)
      const far = Math.hypot(x - at.x, y - at.y)
      if (best === null || far < best.far) best = { far, index, point, name: one.name }
    })
    const hit = best !== null && best.far <= most
    return {
      time_ms: Math.round(hit ? best.point[0] : time),
      row: found.row,
      line: hit ? this.data.option.series[best.index].id : '',
    }
  }

  walk(event) {
    const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
    const first = this.data?.option.series.findIndex((one) => !one.silent) ?? -1
    if (event.target !== this.host || step === undefined || first < 0) return
    event.preventDefault()
    const points = this.data.option.series[first].data
    const from = this.index ?? points.length
    this.index = Math.max(0, Math.min(points.length - 1, from + step))
    this.chart.dispatchAction({ type: 'showTip', seriesIndex: first, dataIndex: this.index })
    const time = points[this.index][0]
    const values = this.data.option.series
      .filter((one) => !one.silent)
      .map((one) => {
        const point = closest(one.data, time)
        return `${one.name.replace(/\u200b/g, '')} ${quantity(point?.[1], this.data.units[one.yAxisIndex])}`
      })
    this.said.textContent = `${moment(time, this.data.utc)}: ${values.slice(0, 8).join(', ')}`
  }

  tabulate(shown) {
    const button = this.host.querySelector('.tools button')
    button.setAttribute('aria-pressed', String(shown))
    this.numbered.hidden = !shown
    this.numbered.replaceChildren(...(shown ? [table(this.data)] : []))
    ;(shown ? this.numbered : button).focus()
  }

  picture() {
    const backgroundColor = this.theme()['background-color']
    save(this.chart.getDataURL({ type: 'png', pixelRatio: 2, backgroundColor }), `${this.data.file}.png`)
  }

  numbers() {
    const { option, titles, units, file } = this.data
    saveText(csv(option.series, titles, units), `${file}.csv`)
  }
}

function closest(points, time) {
  let [low, high] = [0, points.length - 1]
  if (high < 0) return null
  while (high - low > 1) {
    const middle = (low + high) >> 1
    if (points[middle][0] < time) low = middle
    else high = middle
  }
  return time - points[low][0] < points[high][0] - time ? points[low] : points[high]
}

function coloured(theme) {
  const text = theme['text-color']
  const border = theme['border-color']
  const axis = {
    axisLine: { lineStyle: { color: border } },
    axisTick: { lineStyle: { color: border } },
    axisLabel: { color: text },
    splitLine: { lineStyle: { color: border } },
  }
  return {
    backgroundColor: 'transparent',
    textStyle: { fontFamily: theme.font, color: text },
    title: { textStyle: { color: text } },
    legend: {
      textStyle: { color: text },
      pageTextStyle: { color: text },
      pageIconColor: text,
      inactiveColor: border,
    },
    timeAxis: axis,
    valueAxis: axis,
    tooltip: {
      backgroundColor: theme['secondary-background-color'],
      borderColor: border,
      textStyle: { color: text, fontSize: 12 },
      axisPointer: { lineStyle: { color: text, opacity: 0.6 } },
    },
  }
}
