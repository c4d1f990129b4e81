// Runs once the map is drawn. Arguments: plot, extent [x0, x1, y0, y1]; words, chosen, near and
// labels (sources); ids and cosines, the k neighbours of each word in one row.
// What the page shows can be read from the data attributes of <body>.

// Words are numbered from the most frequent; the source holds them in the order of drawing, which
// is the reverse.
const [word, x, y, count] = ["word", "x", "y", "count"].map((name) => {
  const column = words.get_column(name)
  return column && Array.from(column).reverse()
})
const place = (i) => word.length - 1 - i
const k = ids.length / word.length
const state = document.body.dataset
const element = (id) => document.getElementById(id)
const numberOf = new Map()
// Backwards: of equal words the most frequent stays.
for (let i = word.length - 1; i >= 0; i--) numberOf.set(word[i], i)

// One scale for both axes, so that distances in the map can be compared by eye.
let unitsPerPixel

function wholeScale() {
  const [x0, x1, y0, y1] = extent
  return Math.max((x1 - x0) / plot.inner_width, (y1 - y0) / plot.inner_height)
}

function look(middleX, middleY, scale) {
  unitsPerPixel = scale
  const [w, h] = [(plot.inner_width * scale) / 2, (plot.inner_height * scale) / 2]
  plot.x_range.setv({start: middleX - w, end: middleX + w})
  plot.y_range.setv({start: middleY - h, end: middleY + h})
}

function lookAtAll() {
  const [x0, x1, y0, y1] = extent
  look((x0 + x1) / 2, (y0 + y1) / 2, wholeScale())
}

function resize() {
  // The layout may come later than the document's readiness.
  if (!plot.inner_width || !plot.inner_height) return
  const {x_range: {start: x0, end: x1}, y_range: {start: y0, end: y1}} = plot
  if (unitsPerPixel) return look((x0 + x1) / 2, (y0 + y1) / 2, unitsPerPixel)
  lookAtAll()
  relabel()
  state.ready = "yes"
}

// Names the most frequent of the words in view whose names don't cover one another.
const pen = document.createElement("canvas").getContext("2d")
pen.font = "12px system-ui, sans-serif"
function relabel() {
  const {start: x0, end: x1} = plot.x_range
  const {start: y0, end: y1} = plot.y_range
  state.view = [x0, x1, y0, y1].join(" ")
  const marked = [...chosen.get_column("id"), ...near.get_column("id")]
  const isMarked = new Set(marked)
  const taken = []
  const shown = {x: [], y: [], word: []}
  const write = (i, force) => {
    if (x[i] < x0 || x[i] > x1 || y[i] < y0 || y[i] > y1) return
    const left = ((x[i] - x0) / (x1 - x0)) * plot.inner_width
    const top = ((y1 - y[i]) / (y1 - y0)) * plot.inner_height
    const half = pen.measureText(word[i]).width / 2 + (force ? 8 : 4)
    const free = taken.every(([l, t, h]) => Math.abs(left - l) > half + h || Math.abs(top - t) > 17)
    if (!free && !force) return
    taken.push([left, top, half])
    if (force) return taken.push([left, top + 17, 8]) // nor may a name cover this point
    shown.x.push(x[i])
    shown.y.push(y[i])
    shown.word.push(word[i])
  }
  for (const i of marked) write(i, true)
  for (let i = 0; i < word.length && shown.x.length < 250; i++) if (!isMarked.has(i)) write(i, false)
  labels.data = shown
}

let waiting
function relabelSoon() {
  clearTimeout(waiting)
  waiting = setTimeout(relabel, 60)
}

function columns(rows) {
  const pick = (values) => rows.map((i) => values[i])
  return {id: rows, x: pick(x), y: pick(y), word: pick(word)}
}

function button(name, action) {
  const made = document.createElement("button")
  made.type = "button"
  made.append(...name)
  made.addEventListener("click", action)
  return made
}

function span(text) {
  const made = document.createElement("span")
  made.textContent = text
  return made
}

function highlight(i) {
  element("message").textContent = ""
  element("suggestions").replaceChildren()
  element("details").hidden = i === undefined
  if (i === undefined) {
    for (const name of ["word", "x", "y", "neighbours"]) delete state[name]
    chosen.data = columns([])
    near.data = columns([])
    return relabel()
  }
  const rows = [...ids.slice(i * k, (i + 1) * k)]
  chosen.data = columns([i])
  near.data = columns(rows)
  Object.assign(state, {word: word[i], x: x[i], y: y[i], neighbours: rows.map((j) => word[j]).join(" ")})
  element("name").textContent = word[i]
  const rank = `number ${(i + 1).toLocaleString("en")} by frequency`
  element("facts").textContent = count ? `${rank}, seen ${count[i].toLocaleString("en")} times` : rank
  element("neighbours").replaceChildren(
    ...rows.map((j, nth) => {
      const cosine = cosines[i * k + nth]
      const item = document.createElement("li")
      const line = button([span(word[j]), span(cosine.toFixed(3))], () => go(j))
      line.style.setProperty("--share", `${100 * Math.max(0, cosine)}%`)
      item.append(line)
      return item
    })
  )
  relabel()
}

// Selecting is all that a click on a point does, so everything else follows from the selection.
function select(i) {
  const same = state.word !== undefined && chosen.get_column("id")[0] === i
  words.selected.indices = i === undefined ? [] : [place(i)]
  if (same) highlight(i)
}

function go(i) {
  element("word").value = word[i]
  look(x[i], y[i], Math.min(unitsPerPixel, wholeScale() / 3))
  select(i)
}

function suggest(text) {
  const found = []
  for (let i = 0; i < word.length && found.length < 8; i++) if (word[i].startsWith(text)) found.push(i)
  element("suggestions").replaceChildren(...found.map((i) => button([word[i]], () => go(i))))
  return found.length
}

function search(text) {
  const i = numberOf.get(text) ?? numberOf.get(text.toLowerCase())
  if (i !== undefined) return go(i)
  select(undefined)
  let prefix = text
  while (prefix && !suggest(prefix)) prefix = prefix.slice(0, -1)
  const hint = prefix ? ` These begin with “${prefix}”:` : ""
  element("message").textContent = `“${text}” is not among the words here.${hint}`
}

element("search").addEventListener("submit", (event) => {
  event.preventDefault()
  const text = element("word").value.trim()
  if (text) search(text)
})
element("word").addEventListener("input", () => {
  element("message").textContent = ""
  const text = element("word").value.trim()
  if (text) suggest(text)
  else element("suggestions").replaceChildren()
})
element("whole").addEventListener("click", lookAtAll)

// A click may hit many points: the most frequent counts.
words.selected.connect(words.selected.properties.indices.change, () => {
  const {indices} = words.selected
  highlight(indices.length ? Math.min(...indices.map(place)) : undefined)
})
const {start, end} = plot.x_range.properties
for (const side of [start, end]) {
  plot.x_range.connect(side.change, () => {
    unitsPerPixel = (plot.x_range.end - plot.x_range.start) / plot.inner_width
    relabelSoon()
  })
}
for (const side of [plot.properties.inner_width, plot.properties.inner_height]) {
  plot.connect(side.change, resize)
}
resize()
