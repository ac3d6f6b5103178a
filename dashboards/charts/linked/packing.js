// What packing.py packed: values of lines, and the grids of times that they are on.

const moments = (told) =>
  Array.isArray(told) ? told : Array.from({ length: told.steps }, (_, at) => told.start + told.step * at)

export function unpacked({ times, ...option }) {
  const grids = times.map(moments)
  const series = option.series.map(({ on, ...one }) =>
    on === undefined ? one : { ...one, data: one.data.map((value, at) => [grids[on][at], value]) },
  )
  return { ...option, series }
}
