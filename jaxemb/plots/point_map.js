// The page around the map: names, classes, images, search, neighbors.
// What it shows can be read from the data attributes of <body>.

const element = (id) => document.getElementById(id)
const state = document.body.dataset
const data = JSON.parse(element("data").textContent)

function unpack(name, Kind) {
  if (!data[name]) return undefined
  return new Kind(Uint8Array.from(atob(data[name]), (letter) => letter.charCodeAt(0)).buffer)
}

const [x, y] = [unpack("x", Float32Array), unpack("y", Float32Array)]
const labels = unpack("labels", Int32Array)
const ids = unpack("neighbors", Int32Array)
const cosines = unpack("cosines", Float32Array)
const counts = unpack("counts", Float64Array)
const {names, classes, palette, sprites} = data
const size = x.length
const k = ids ? ids.length / size : 0

// Named points come most frequent first, and the frequent shall lie on top. Others are drawn in no
// order of the input, whose last class would cover the rest: strides that share no factor with the
// size visit each once.
const common = (a, b) => (b ? common(b, a % b) : a)
let stride = Math.ceil(0.618 * size)
while (common(stride, size) > 1) stride++
const order = Uint32Array.from({length: size}, (_, i) => (names ? size - 1 - i : (i * stride) % size))
const view = new MapView(element("canvas"), {
  x, y, order,
  shade: unpack("shade", Uint16Array),
  radius: unpack("radius", Uint8Array),
  palette: palette.map((hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16))),
  // Many points may be hit: of words the most frequent counts, of others the nearest.
  hit: (found) => (names ? Math.min(...found) : found[0]),
})

const call = (i) => names?.[i] ?? (labels ? classes[labels[i]] : `point ${i.toLocaleString("en")}`)
let chosen
let near = []

// Images lie in sheets, which are decoded when first looked at.
const sheets = [...document.querySelectorAll("script.sheet")]
const decoded = []
function sheetOf(number) {
  decoded[number] ??= new Promise((resolve) => {
    const image = new Image()
    image.onload = () => resolve(image)
    image.src = sheets[number].textContent
  })
  return decoded[number]
}

async function paint(canvas, i, side) {
  const {width, height, cell_width, cell_height, columns, per_sheet} = sprites
  const zoom = Math.max(1, Math.floor(side / Math.max(width, height)))
  ;[canvas.width, canvas.height] = [width * zoom, height * zoom]
  canvas.dataset.wanted = i
  const sheet = await sheetOf(Math.floor(i / per_sheet))
  if (canvas.dataset.wanted !== String(i)) return // another was wanted meanwhile
  const [row, column] = [Math.floor((i % per_sheet) / columns), (i % per_sheet) % columns]
  const context = canvas.getContext("2d")
  context.imageSmoothingEnabled = false
  const [left, top] = [column * cell_width, row * cell_height]
  context.drawImage(sheet, left, top, width, height, 0, 0, canvas.width, canvas.height)
  canvas.dataset.shown = i
}

// Names the most frequent of the words in view whose names don't cover one another.
const pen = document.createElement("canvas").getContext("2d")
pen.font = "12px system-ui, sans-serif"
const widths = new Float32Array(names ? size : 0)
let written = []
function relabel() {
  if (!view.scale) return // the page has no size yet
  const [x0, x1, y0, y1] = view.view()
  state.view = [x0, x1, y0, y1].join(" ")
  written = []
  if (!names) return
  const marked = chosen === undefined ? [] : [chosen, ...near]
  const isMarked = new Set(marked)
  const taken = []
  const write = (i, force) => {
    if (x[i] < x0 || x[i] > x1 || y[i] < y0 || y[i] > y1) return
    const [left, top] = [view.left(i), view.top(i)]
    widths[i] ||= pen.measureText(names[i]).width
    const half = widths[i] / 2 + (force ? 8 : 4)
    const free = taken.every(([l, t, h]) => Math.abs(left - l) > half + h || Math.abs(top - t) > 17)
    if (!free && !force) return
    taken.push([left, top, half])
    if (force) return taken.push([left, top + 17, 8]) // nor may a name cover this point
    written.push(i)
  }
  for (const i of marked) write(i, true)
  for (let i = 0; i < size && written.length < 250; i++) if (!isMarked.has(i) && view.visible[i]) write(i, false)
  view.redraw()
}

function writeName(context, i, pixels, color, weight) {
  context.font = `${weight} ${pixels}px system-ui, sans-serif`
  const [left, bottom, half] = [view.left(i), view.top(i) - 5, context.measureText(names[i]).width / 2]
  context.fillStyle = "rgb(255 255 255 / 75%)"
  context.beginPath()
  context.roundRect(left - half - 2, bottom - pixels - 3, 2 * half + 4, pixels + 4, 4)
  context.fill()
  context.fillStyle = color
  context.fillText(names[i], left, bottom)
}

view.ondraw = (context) => {
  context.textAlign = "center"
  context.textBaseline = "bottom"
  for (const i of written) writeName(context, i, 12, "#1f2933", "")
  if (chosen === undefined) return
  for (const i of [...near, chosen]) {
    context.beginPath()
    context.arc(view.left(i), view.top(i), i === chosen ? 7 : 5, 0, 7)
    context.fillStyle = i === chosen ? "#d9480f" : "#f08c5a"
    context.strokeStyle = "white"
    context.fill()
    context.stroke()
  }
  if (!names) return
  for (const i of near) writeName(context, i, 13, "#b83a08", "")
  writeName(context, chosen, 15, "#d9480f", "bold")
}

let waiting
view.onmove = () => {
  state.view = view.view().join(" ")
  state.ready = "yes"
  clearTimeout(waiting)
  waiting = setTimeout(relabel, 60)
}

view.onhover = (i, left, top) => {
  const tip = element("tip")
  tip.hidden = i === undefined
  view.canvas.style.cursor = i === undefined ? "grab" : "pointer"
  if (i === undefined) return delete state.over
  if (state.over === String(i)) return
  state.over = i
  element("tip-name").textContent = call(i)
  const told = counts ? counts[i].toLocaleString("en") : names && labels ? classes[labels[i]] : ""
  element("tip-facts").textContent = told
  element("tip-image").hidden = !sprites
  if (sprites) paint(element("tip-image"), i, 112)
  // On the side where there is room.
  const [right, below] = [left > view.width / 2, top > view.height / 2]
  tip.style.left = `${view.left(i) + (right ? -12 : 12)}px`
  tip.style.top = `${view.top(i) + (below ? -12 : 12)}px`
  tip.style.transform = `translate(${right ? -100 : 0}%, ${below ? -100 : 0}%)`
}

function button(content, action) {
  const made = document.createElement("button")
  made.type = "button"
  made.append(...content)
  made.addEventListener("click", action)
  return made
}

function span(text) {
  const made = document.createElement("span")
  made.textContent = text
  return made
}

function thumbnail(i) {
  const made = document.createElement("canvas")
  paint(made, i, 36)
  return made
}

function select(i) {
  chosen = i
  element("message").textContent = ""
  element("suggestions").replaceChildren()
  element("details").hidden = i === undefined
  for (const name of ["word", "point", "x", "y", "neighbors", "nearest"]) delete state[name]
  near = i === undefined ? [] : [...(ids?.slice(i * k, (i + 1) * k) ?? [])]
  view.alpha = near.length ? 0.2 : 0.75
  relabel()
  view.redraw()
  if (i === undefined) return
  Object.assign(state, {point: i, x: x[i], y: y[i], nearest: near.join(" ")})
  if (names) Object.assign(state, {word: names[i], neighbors: near.map(call).join(" ")})
  element("name").textContent = call(i)
  const facts = [names ? `number ${(i + 1).toLocaleString("en")} by frequency` : `point ${i.toLocaleString("en")}`]
  if (counts) facts.push(`seen ${counts[i].toLocaleString("en")} times`)
  if (names && labels) facts.push(classes[labels[i]])
  element("facts").textContent = facts.join(", ")
  element("image").hidden = !sprites
  if (sprites) paint(element("image"), i, 224)
  element("near").hidden = !k
  element("neighbors").replaceChildren(
    ...near.map((j, nth) => {
      const cosine = cosines[i * k + nth]
      const item = document.createElement("li")
      const content = [span(call(j)), span(cosine.toFixed(3))]
      if (sprites) content.unshift(thumbnail(j))
      const line = button(content, () => go(j))
      line.style.setProperty("--share", `${100 * Math.max(0, cosine)}%`)
      item.append(line)
      return item
    })
  )
}

function go(i) {
  if (names) element("word").value = names[i]
  view.look(x[i], y[i], Math.min(view.scale, view.wholeScale() / 3))
  select(i)
}
view.onclick = select
element("whole").addEventListener("click", () => view.lookAtAll())
