// Pictures found by words, and by other pictures: all lie in one space.
// What is shown can be read from the data attributes of <body>.

const element = (id) => document.getElementById(id)
const state = document.body.dataset
const data = JSON.parse(element("data").textContent)
const {dim, words, names, sprites, shown} = data

function unpack(packed, Kind) {
  const letters = atob(packed)
  const bytes = new Uint8Array(letters.length)
  for (let i = 0; i < bytes.length; i++) bytes[i] = letters.charCodeAt(i)
  return new Kind(bytes.buffer)
}

// Rows of whole numbers from -127 to 127, each times a scale of its own.
function table({rows, scales}) {
  const [numbers, lengths] = [unpack(rows, Int8Array), unpack(scales, Float32Array)]
  return Float32Array.from(numbers, (number, i) => number * lengths[Math.floor(i / dim)])
}
const [wordTable, pictureTable] = [table(data.word_vectors), table(data.picture_vectors)]
const row = (vectors, i) => vectors.subarray(i * dim, (i + 1) * dim)

const fold = (text) => text.normalize("NFC").toLowerCase()
const places = new Map(words.map((word, i) => [fold(word), i]))
// Keywords may have blanks: the longest run of what is typed that is one of them counts.
const longest = Math.max(1, ...words.map((word) => word.split(" ").length))

function read(text) {
  const parts = fold(text).split(/\s+/u).filter(Boolean)
  const [known, unknown] = [[], []]
  for (let at = 0; at < parts.length; ) {
    let [taken, found] = [1, undefined]
    for (let length = Math.min(longest, parts.length - at); length && found === undefined; length--) {
      found = places.get(parts.slice(at, at + length).join(" "))
      taken = length
    }
    // Without the punctuation around it; some keywords are nothing else.
    found ??= places.get(parts[at].replace(/^[^\p{L}\p{N}]+|[^\p{L}\p{N}]+$/gu, ""))
    if (found === undefined) unknown.push(parts[at])
    else known.push(found)
    at += taken
  }
  return {known, unknown}
}

const dot = (a, b) => a.reduce((sum, value, i) => sum + value * b[i], 0)
const norm = (vector) => Math.sqrt(dot(vector, vector)) || 1

function nearest(vector, vectors, count, most) {
  const length = norm(vector)
  const cosines = Array.from({length: count}, (_, i) => {
    const other = row(vectors, i)
    return {i, cosine: dot(vector, other) / length / norm(other)}
  })
  return cosines.sort((a, b) => b.cosine - a.cosine || a.i - b.i).slice(0, most)
}

async function paint(canvas, i) {
  const {width, height} = sprites
  ;[canvas.width, canvas.height] = [width, height]
  const [sheet, left, top] = await placeOf(i, sprites)
  canvas.getContext("2d").drawImage(sheet, left, top, width, height, 0, 0, width, height)
  canvas.dataset.shown = i
}

function button(children, act) {
  const made = document.createElement("button")
  made.type = "button"
  made.append(...children)
  made.addEventListener("click", act)
  return made
}

function show(vector) {
  const found = nearest(vector, pictureTable, names.length, shown)
  element("found").replaceChildren(
    ...found.map(({i, cosine}) => {
      const [item, canvas, told] = ["li", "canvas", "span"].map((kind) => document.createElement(kind))
      told.textContent = cosine.toFixed(2)
      paint(canvas, i)
      item.append(button([canvas, names[i], told], () => ask(i)))
      return item
    })
  )
  state.found = found.map(({i}) => i).join(" ")
}

function suggest(list) {
  element("suggestions").replaceChildren(...list.map((word) => button([word], () => type(word))))
}

function clear() {
  for (const id of ["asked", "message"]) element(id).textContent = ""
  suggest([])
  element("found").replaceChildren()
  delete state.found
}

// A picture is asked for its words, and for pictures near it.
function ask(i) {
  clear()
  element("words").value = ""
  const vector = row(pictureTable, i)
  element("asked").textContent = `Words nearest to “${names[i]}”:`
  suggest(nearest(vector, wordTable, words.length, 12).map((found) => words[found.i]))
  show(vector)
  state.asked = `picture ${i}`
  element("found").querySelector("button").focus()
}

function type(text) {
  element("words").value = text
  find()
  element("words").focus()
}

function find() {
  const text = element("words").value
  clear()
  state.asked = text
  const {known, unknown} = read(text)
  if (unknown.length) {
    const told = unknown.map((word) => `“${word}”`).join(", ")
    element("message").textContent = `No picture that was learned from has the word ${told}.`
    // The last may not be typed to its end.
    const begun = unknown.at(-1)
    suggest(words.filter((word) => fold(word).startsWith(begun)).slice(0, 12))
  }
  if (!known.length) return
  const sum = new Float32Array(dim)
  for (const i of known) row(wordTable, i).forEach((value, at) => (sum[at] += value))
  show(sum)
}

element("search").addEventListener("submit", (event) => {
  event.preventDefault()
  element("found").querySelector("button")?.focus()
})
element("words").addEventListener("input", find)
document.addEventListener("keydown", (event) => {
  const typing = document.activeElement === element("words")
  if (event.key === "Escape") type("")
  else if (event.key === "/" && !typing) {
    event.preventDefault()
    element("words").select()
    element("words").focus()
  } else if (event.key.startsWith("Arrow") && !typing) {
    const all = [...element("found").querySelectorAll("button")]
    const at = all.indexOf(document.activeElement)
    if (at < 0) return
    // As many as have the same height on the page are in a line.
    const line = all.filter((one) => one.offsetTop === all[0].offsetTop).length
    const step = {ArrowRight: 1, ArrowLeft: -1, ArrowDown: line, ArrowUp: -line}[event.key]
    event.preventDefault()
    if (at + step < 0) element("words").focus()
    else all[at + step]?.focus()
  }
})
suggest(data.examples)
state.ready = "yes"
