// The page around the map: names, classes, images, columns, neighbors.
// What it shows can be read from the data attributes of <body>.

const element = (id) => document.getElementById(id)
const state = document.body.dataset
const data = JSON.parse(element("data").textContent)

function unpack(packed, Kind) {
  const letters = atob(packed)
  const bytes = new Uint8Array(letters.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i)
  return Kind ? new Kind(bytes.buffer) : bytes
}

const [x, y] = [unpack(data.x, Float32Array), unpack(data.y, Float32Array)]
const {names, ranked, sprites} = data
const size = x.length
const plain = (value) => value.toLocaleString("en")

// What is known of each point. A column is of numbers, or of positions in its categories.
const KINDS = {f4: Float32Array, f8: Float64Array, u2: Uint16Array, u4: Uint32Array}
const columns = data.columns.map((column) => {
  return {...column, values: unpack(column.values, KINDS[column.kind])}
})
// The classes, and how often a word was seen, are no columns of the user's.
const labels = columns.find((column) => column.role === "class")
const counts = columns.find((column) => column.role === "count")
const own = columns.filter((column) => !column.role)

function told({values, categories}, i) {
  if (categories) return categories[values[i]]
  if (Number.isNaN(values[i])) return "–"
  return Number.isInteger(values[i]) ? plain(values[i]) : String(Number(values[i].toPrecision(6)))
}

const call = (i) => names?.[i] ?? (labels ? told(labels, i) : `point ${plain(i)}`)

// Neighbors are unpacked when first asked for: they are most of the page.
let lists
function neighborsOf(i) {
  if (!data.neighbors) return []
  const {k, ids, shares, farthest} = data.neighbors
  lists ??= {
    ids: unpack(ids),
    shares: unpack(shares, Uint16Array),
    farthest: unpack(farthest, Float32Array),
  }
  return Array.from({length: k}, (_, nth) => {
    const at = i * k + nth
    const [low, middle, high] = lists.ids.subarray(3 * at, 3 * at + 3)
    const distance = (lists.shares[at] / 65535) * lists.farthest[i]
    return {j: low + 256 * middle + 65536 * high, distance}
  })
}

// Words come most frequent first, and the frequent shall lie on top. Others are drawn in no order
// of the input, whose last class would cover the rest: strides that share no factor with the
// size visit each once.
const common = (a, b) => (b ? common(b, a % b) : a)
let stride = Math.ceil(0.618 * size)
while (common(stride, size) > 1) stride++
const view = new MapView(element("canvas"), {
  x,
  y,
  frame: data.frame,
  order: Uint32Array.from({length: size}, (_, i) => (ranked ? size - 1 - i : (i * stride) % size)),
  radius: unpack(data.radius),
  // Many points may be hit: of words the most frequent counts, of others the nearest.
  hit: (found) => (ranked ? Math.min(...found) : found[0]),
})

let chosen
let near = []

// Some points may have none: words in a map of pictures.
const pictured = (i) => i < data.pictured

async function paint(canvas, i, side) {
  const {width, height} = sprites
  const zoom = Math.max(1, Math.floor(side / Math.max(width, height)))
  ;[canvas.width, canvas.height] = [width * zoom, height * zoom]
  canvas.dataset.wanted = i
  const [sheet, left, top] = await placeOf(i, sprites)
  if (canvas.dataset.wanted !== String(i)) return // another was wanted meanwhile
  const context = canvas.getContext("2d")
  context.imageSmoothingEnabled = false
  context.drawImage(sheet, left, top, width, height, 0, 0, canvas.width, canvas.height)
  canvas.dataset.shown = i
}

// The room on the canvas, in cells of a few pixels: what is written takes some.
class Room {
  constructor() {
    this.columns = Math.ceil(view.width / 6)
    this.rows = Math.ceil(view.height / 6)
    this.cells = new Uint8Array(this.columns * this.rows)
  }

  // Whether a box was free, and then takes it.
  take({left, right, top, bottom}) {
    const first = Math.max(0, Math.floor(top / 6))
    const last = Math.min(this.rows - 1, Math.floor(bottom / 6))
    const from = Math.max(0, Math.floor(left / 6))
    const to = Math.min(this.columns - 1, Math.floor(right / 6))
    for (let row = first; row <= last; row++) {
      const start = row * this.columns
      for (let at = start + from; at <= start + to; at++) if (this.cells[at]) return false
    }
    for (let row = first; row <= last; row++) {
      const start = row * this.columns
      this.cells.fill(1, start + from, start + to + 1)
    }
    return true
  }
}

const pen = document.createElement("canvas").getContext("2d")
const FONT = "system-ui, sans-serif"
const FONTS = {
  chosen: `bold 14px ${FONT}`,
  near: `600 13px ${FONT}`,
  cluster: `bold 15px ${FONT}`,
  name: `12px ${FONT}`,
}
const HEIGHTS = {chosen: 22, near: 18, cluster: 20, name: 15}

function label(kind, text, x, y) {
  pen.font = FONTS[kind]
  return {kind, text, x, y, width: pen.measureText(text).width + (kind === "chosen" ? 14 : 6)}
}

// Where a label is written: over its point, or beside or below it where that is taken.
function boxes({kind, width, x, y}) {
  const [left, top] = view.place(x, y)
  const height = HEIGHTS[kind]
  const box = (right, down) => ({
    left: left + right - width / 2, right: left + right + width / 2,
    top: top + down - height, bottom: top + down,
  })
  if (kind === "cluster") return [box(0, height / 2)]
  if (kind === "name") return [box(0, -5)]
  const beside = width / 2 + 10
  return [box(0, -9), box(0, height + 9), box(beside, height / 2), box(-beside, height / 2)]
}

// What is written, what matters most first. None covers another, nor the points that are marked.
let labelings = []
function arranged(wanted, most = Infinity) {
  const room = new Room()
  const placed = []
  for (const i of marked()) {
    const [left, top] = view.place(x[i], y[i])
    room.take({left: left - 6, right: left + 6, top: top - 6, bottom: top + 6})
  }
  for (const one of wanted) {
    const box = boxes(one).find((box) => room.take(box))
    if (box) placed.push({...one, box})
    if (placed.length >= most) break
  }
  return placed
}

const marked = () => (chosen === undefined ? [] : [chosen, ...near])

function* candidates() {
  const [x0, x1, y0, y1] = view.view()
  const seen = (i) => view.visible[i] && x[i] >= x0 && x[i] <= x1 && y[i] >= y0 && y[i] <= y1
  const special = new Set(marked())
  for (const i of names ? special : []) {
    yield label(i === chosen ? "chosen" : "near", names[i], x[i], y[i])
  }
  // What else there is would take the eye off these.
  if (chosen === undefined) for (const {name, x, y} of clusters) yield label("cluster", name, x, y)
  // No more than these: where the crowd leaves no room, the rest would be measured in vain.
  let tried = 0
  for (let i = 0; names && i < size && tried < 4000; i++) {
    if (special.has(i) || !seen(i)) continue
    tried++
    yield label("name", names[i], x[i], y[i])
  }
}

function relabel() {
  if (!view.scale) return // the page has no size yet
  state.view = view.view().join(" ")
  labelings = arranged(candidates(), 250)
  state.labels = labelings.length
  view.redraw()
}

// Where most of a category's points lie: the densest cell of a grid, not their middle, which may
// be empty.
const CELLS = 24
let clusters = []
function nameClusters({values, categories}, listed) {
  const [x0, x1, y0, y1] = data.frame
  const place = (value, low, high) =>
    Math.min(CELLS - 1, Math.max(0, Math.floor(((value - low) / (high - low || 1)) * CELLS)))
  const found = new Map(listed.map((category) => [category, new Uint32Array(CELLS * CELLS)]))
  const cells = Uint16Array.from(x, (_, i) => place(y[i], y0, y1) * CELLS + place(x[i], x0, x1))
  for (let i = 0; i < size; i++) {
    const grid = view.visible[i] && found.get(values[i])
    if (grid) grid[cells[i]]++
  }
  const sums = new Map()
  for (const [category, grid] of found) {
    const most = Math.max(...grid)
    if (most) sums.set(category, {best: grid.indexOf(most), most, x: 0, y: 0})
  }
  for (let i = 0; i < size; i++) {
    const sum = view.visible[i] && sums.get(values[i])
    if (!sum || sum.best !== cells[i]) continue
    sum.x += x[i] / sum.most
    sum.y += y[i] / sum.most
  }
  clusters = [...sums].map(([category, sum]) => ({name: categories[category], ...sum}))
  clusters.sort((a, b) => b.most - a.most)
}

let colors // of the theme
function write(context, {kind, text, box}) {
  const {left, right, top, bottom} = box
  context.font = FONTS[kind]
  const middle = (top + bottom) / 2
  if (kind === "cluster") {
    context.strokeStyle = colors.paper
    context.lineWidth = 4
    context.strokeText(text, (left + right) / 2, middle)
  } else {
    context.globalAlpha = kind === "name" ? 0.75 : 1
    context.fillStyle = kind === "chosen" ? colors.mark : colors.paper
    context.beginPath()
    context.roundRect(left, top, right - left, bottom - top, 4)
    context.fill()
    context.globalAlpha = 1
  }
  const faded = kind === "name" && chosen !== undefined && near.length
  context.fillStyle = kind === "chosen" ? colors.paper : faded ? colors.quiet : colors.ink
  context.fillText(text, (left + right) / 2, middle + 0.5)
}

function ring(context, i, radius, width) {
  const [left, top] = view.place(x[i], y[i])
  for (const [color, wide] of [[colors.paper, width + 3], [colors.mark, width]]) {
    context.beginPath()
    context.arc(left, top, radius, 0, 7)
    context.strokeStyle = color
    context.lineWidth = wide
    context.stroke()
  }
}

view.ondraw = (context) => {
  context.textAlign = "center"
  context.textBaseline = "middle"
  if (data.axes.length) {
    context.font = FONTS.name
    context.fillStyle = colors.quiet
    context.fillText(data.axes[0], view.width / 2, view.height - 12)
    context.save()
    context.translate(12, view.height / 2)
    context.rotate(-Math.PI / 2)
    context.fillText(data.axes[1], 0, 0)
    context.restore()
  }
  // Rings, in no class's color, and the point's own color stays.
  for (const i of near) ring(context, i, 5, 1.5)
  if (chosen !== undefined) ring(context, chosen, 8, 3)
  // Between two labelings the map may have been zoomed: those that now have no room wait.
  for (const one of arranged(labelings)) write(context, one)
  state.ready = "yes"
}

let waiting
view.onmove = () => {
  state.view = view.view().join(" ")
  clearTimeout(waiting)
  waiting = setTimeout(relabel, 60)
}

function made(tag, text, className = "") {
  const one = document.createElement(tag)
  one.textContent = text
  one.className = className
  return one
}

function button(content, action) {
  const one = made("button", "")
  one.type = "button"
  one.append(...content)
  one.addEventListener("click", action)
  return one
}

const facts = (i) => own.flatMap((column) => [made("dt", column.name), made("dd", told(column, i))])

view.onhover = (i, left, top) => {
  const tip = element("tip")
  tip.hidden = i === undefined
  view.canvas.style.cursor = i === undefined ? "grab" : "pointer"
  if (i === undefined) return delete state.over
  if (state.over !== String(i)) {
    state.over = i
    element("tip-name").textContent = call(i)
    const known = [counts && `seen ${told(counts, i)} times`, names && labels && told(labels, i)]
    element("tip-facts").textContent = known.filter(Boolean).join(", ")
    element("tip-columns").replaceChildren(...facts(i))
    element("tip-image").hidden = !pictured(i)
    if (pictured(i)) paint(element("tip-image"), i, 112)
  }
  // Beside the pointer, on the side where there is room.
  const [right, below] = [left > view.width / 2, top > view.height / 2]
  tip.style.left = `${left + (right ? -14 : 14)}px`
  tip.style.top = `${top + (below ? -14 : 14)}px`
  tip.style.transform = `translate(${right ? -100 : 0}%, ${below ? -100 : 0}%)`
}

function thumbnail(i) {
  const one = document.createElement("canvas")
  paint(one, i, 36)
  return one
}

function select(i) {
  chosen = i
  element("message").textContent = ""
  element("suggestions").replaceChildren()
  element("details").hidden = i === undefined
  for (const name of ["word", "point", "x", "y", "neighbors", "nearest"]) delete state[name]
  const found = i === undefined ? [] : neighborsOf(i)
  near = found.map(({j}) => j)
  view.dress({alpha: near.length ? 0.35 : 0.75})
  relabel()
  if (i === undefined) return
  Object.assign(state, {point: i, x: x[i], y: y[i], nearest: near.join(" ")})
  if (names) Object.assign(state, {word: names[i], neighbors: near.map(call).join(" ")})
  element("name").textContent = call(i)
  const known = [ranked ? `number ${plain(i + 1)} by frequency` : `point ${plain(i)}`]
  if (counts) known.push(`seen ${told(counts, i)} times`)
  if (names && labels) known.push(told(labels, i))
  element("facts").textContent = known.join(", ")
  element("columns").replaceChildren(...facts(i))
  element("image").hidden = !pictured(i)
  if (pictured(i)) paint(element("image"), i, 224)
  element("near").hidden = !near.length
  const cosine = data.neighbors?.metric === "cosine"
  const farthest = Math.max(...found.map(({distance}) => distance)) || 1
  element("neighbors").replaceChildren(
    ...found.map(({j, distance}) => {
      const item = document.createElement("li")
      const text = cosine ? (1 - distance).toFixed(3) : distance.toPrecision(4)
      const content = [made("span", call(j)), made("span", text)]
      if (pictured(j)) content.unshift(thumbnail(j))
      const line = button(content, () => go(j))
      const share = Math.max(0, cosine ? 1 - distance : distance / farthest)
      line.style.setProperty("--share", `${100 * share}%`)
      item.append(line)
      return item
    })
  )
  // On a phone the details are below what is in view.
  if (matchMedia("(max-width: 700px)").matches) {
    element("details").scrollIntoView({block: "start"})
  }
}

function go(i) {
  if (names) element("word").value = names[i]
  view.look(x[i], y[i], Math.min(view.scale, view.wholeScale() / 3))
  select(i)
}
view.onclick = select
element("whole").addEventListener("click", () => view.lookAtAll())
