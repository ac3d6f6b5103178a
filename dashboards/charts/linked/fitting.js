// What is written over a chart, fitted to its width: titles beside the tools, names of moments.

const CHARACTER_PX = 5.6
const GAP_PX = 6
const TOOLS_PX = 132

const worded = (names) => (names.length > 1 ? `${names[0]} +${names.length - 1}` : names[0])
const widthOf = (text) => text.length * CHARACTER_PX

export function titles(given, width) {
  return given.map((title, row) => ({
    ...title,
    textStyle: { ...title.textStyle, overflow: 'truncate', width: width - (row ? 16 : TOOLS_PX) },
  }))
}

// Of names that would lie upon each other the first stays, and says how many it stands for.
export function moments(series, grids, axes, width) {
  return series.map((one) => {
    const marks = one.markLine?.data
    const [grid, axis] = [grids[one.xAxisIndex ?? 0], axes[one.xAxisIndex ?? 0]]
    if (!marks?.some((mark) => mark.label?.show && 'xAxis' in mark) || axis?.min === undefined) return one
    const drawn = width - grid.left - grid.right
    const place = (time) => (drawn * (time - axis.min)) / (axis.max - axis.min)
    return { ...one, markLine: { ...one.markLine, data: apart(marks, place, drawn) } }
  })
}

function apart(marks, place, drawn) {
  const groups = []
  for (const mark of marks) {
    if (!('xAxis' in mark) || !mark.label?.show) continue
    const at = place(mark.xAxis)
    const last = groups.at(-1)
    const end = last && (last.late ? last.at : last.at + widthOf(last.text))
    const late = at + widthOf(mark.name) > drawn
    const start = late ? at - widthOf(mark.name) : at
    if (last && start < end + GAP_PX) {
      last.names.push(...mark.name.split(' · '))
      last.text = worded(last.names)
    } else {
      const names = mark.name.split(' · ')
      const fits = late ? widthOf(mark.name) <= at : at + widthOf(mark.name) <= drawn
      groups.push({ mark, names, at, late, text: fits ? mark.name : worded(names) })
    }
  }
  const shown = new Map(groups.map((group) => [group.mark, group]))
  return marks.map((mark) => {
    if (!('xAxis' in mark) || !mark.label?.show) return mark
    const group = shown.get(mark)
    if (!group) return { ...mark, label: { ...mark.label, show: false } }
    return { ...mark, name: group.text, label: { ...mark.label, align: group.late ? 'right' : 'left' } }
  })
}
