// The pointer over a stack of charts: a drag chooses a stretch of time, a click a point, a double
// click zooms out, and where it stands every chart of the page shows a line.

const MOVED_PX = 6
const NEAR_PX = 28
const POINTED = 'tocsin-pointed'

const layer = (host, name) => {
  const made = document.createElement('div')
  made.className = name
  made.hidden = true
  host.append(made)
  return made
}

export class Pointing {
  constructor(host, stack) {
    this.stack = stack
    this.host = host
    this.chosen = layer(host, 'chosen')
    this.line = layer(host, 'line')
    this.from = null
    this.heard = (event) => this.follow(event.detail)
    this.escaped = (event) => event.key === 'Escape' && this.drop()
    host.addEventListener('pointerdown', (event) => this.begin(event))
    host.addEventListener('pointermove', (event) => this.move(event))
    host.addEventListener('pointerup', (event) => this.end(event))
    host.addEventListener('pointercancel', () => this.drop())
    host.addEventListener('pointerleave', () => this.tell(null))
    host.addEventListener('dblclick', () => this.out())
    window.addEventListener(POINTED, this.heard)
    window.addEventListener('keydown', this.escaped)
  }

  get busy() {
    return this.from !== null
  }

  dispose() {
    window.removeEventListener(POINTED, this.heard)
    window.removeEventListener('keydown', this.escaped)
    clearTimeout(this.clicked)
  }

  at(event) {
    const box = this.host.getBoundingClientRect()
    return { x: event.clientX - box.left, y: event.clientY - box.top }
  }

  begin(event) {
    const at = this.at(event)
    if (event.button !== 0 || !this.stack.rowAt(at)) return
    this.from = at
    this.host.setPointerCapture(event.pointerId)
  }

  move(event) {
    const at = this.at(event)
    if (this.from && Math.abs(at.x - this.from.x) > MOVED_PX) {
      const [left, right] = [this.from.x, this.stack.within(at.x)].sort((a, b) => a - b)
      Object.assign(this.chosen.style, { left: `${left}px`, width: `${right - left}px` })
      this.chosen.hidden = false
    }
    this.tell(this.stack.rowAt(at) ? this.stack.timeAt(at.x) : null)
  }

  end(event) {
    if (!this.from) return
    const from = this.from
    const at = this.at(event)
    const moved = Math.abs(at.x - from.x) > MOVED_PX
    this.drop()
    if (moved) {
      const edges = [from.x, this.stack.within(at.x)].map((x) => Math.round(this.stack.timeAt(x)))
      const [start, finish] = edges.sort((a, b) => a - b)
      this.stack.send('range', `${start}-${finish}`)
      return
    }
    // The second click of two means another thing.
    clearTimeout(this.clicked)
    this.clicked = setTimeout(() => this.point(at), 260)
  }

  point(at) {
    const found = this.stack.nearest(at, NEAR_PX)
    if (found) this.stack.send('point', found)
  }

  out() {
    clearTimeout(this.clicked)
    this.stack.send('out', Date.now())
  }

  drop() {
    this.from = null
    this.chosen.hidden = true
    this.stack.caughtUp()
  }

  tell(time) {
    window.dispatchEvent(new CustomEvent(POINTED, { detail: { time, by: this } }))
  }

  follow({ time, by }) {
    const x = time === null || by === this ? null : this.stack.placeOf(time)
    this.line.hidden = x === null
    if (x !== null) this.line.style.left = `${x}px`
  }
}
