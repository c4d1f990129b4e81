// Search, colors and their legend, keys, light and dark.

// Of bare points, the columns of text are searched: a value leads to the first point that has it.
const fold = (text) => text.normalize("NFC").toLowerCase()
const texts = names ? [] : own.filter(({categories}) => categories?.length > 20)
let entries
function searchable() {
  if (entries) return entries
  if (names) return (entries = names.map((text, i) => ({text, folded: fold(text), i})))
  entries = []
  for (const {values, categories} of texts) {
    const first = new Map()
    values.forEach((value, i) => first.has(value) || first.set(value, i))
    for (const [value, i] of first) {
      entries.push({text: categories[value], folded: fold(categories[value]), i})
    }
  }
  return entries
}

// Those that are the text, begin with it, or contain it, in this order; case doesn't matter.
function matches(text) {
  const wanted = fold(text)
  const found = [[], [], []]
  for (const entry of searchable()) {
    const at = entry.folded.indexOf(wanted)
    if (at >= 0) found[at ? 2 : entry.folded === wanted ? 0 : 1].push(entry)
  }
  return found.flat()
}

function suggest(text) {
  const found = matches(text)
  element("suggestions").replaceChildren(
    ...found.slice(0, 8).map((entry) => {
      const at = entry.folded.indexOf(fold(text))
      // Lower-cased, some letters become two.
      const end = entry.folded.length === entry.text.length ? at + fold(text).length : at
      const [before, match] = [entry.text.slice(0, at), entry.text.slice(at, end)]
      return button([before, made("b", match), entry.text.slice(end)], () => go(entry.i))
    })
  )
  return found.length
}

function search(text) {
  const found = matches(text)
  const same = found.filter(({folded}) => folded === fold(text))
  const only = found.length === 1 ? found[0] : undefined
  const hit = same.find((entry) => entry.text === text) ?? same[0] ?? only
  if (hit) return go(hit.i)
  select(undefined)
  if (suggest(text)) {
    const some = found.length > 8 ? ", such as" : ""
    element("message").textContent = `${plain(found.length)} contain “${text}”${some}:`
    return
  }
  // What is wrong is rather at the end.
  let start = text
  while (start.length > text.length / 2 && !suggest(start)) start = start.slice(0, -1)
  const hint = element("suggestions").children.length ? ` These contain “${start}”:` : ""
  const what = ranked ? "words" : names ? "names" : "texts"
  element("message").textContent = `“${text}” is not among the ${what} here.${hint}`
}

element("search").hidden = !names && !texts.length
if (!ranked) {
  const where = names ? "the names" : texts.map(({name}) => name).join(", ")
  element("word").placeholder = `Find in ${where}`
  element("word").setAttribute("aria-label", element("word").placeholder)
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

// Colors: by class, by frequency, or by any column.
const mix = (color, other, share) => color.map((value, at) => value + share * (other[at] - value))
const rgb = (hex) => [1, 3, 5].map((at) => parseInt(hex.slice(at, at + 2), 16))
const css = (color) => `rgb(${color.map(Math.round).join(" ")})`

// From the eleventh on, the same colors darker, then paler.
function classColor(number) {
  const color = rgb(data.colors[number % 10])
  const kind = Math.floor(number / 10) % 3
  return kind ? mix(color, rgb(kind === 1 ? colors.ink : colors.paper), 0.4) : color
}

const choices = [...own]
if (ranked) choices.unshift({name: "frequency", ranks: true})
if (labels) choices.unshift(labels)
if (!ranked && !labels) choices.unshift({name: "nothing"})
let choice = choices[0]
let groups = [] // of categories: those with an entry in the legend
let groupOf
const shown = new Set()

function readTheme() {
  const style = getComputedStyle(document.documentElement)
  colors = Object.fromEntries(
    ["paper", "ink", "quiet", "mark"].map((name) => {
      return [name, style.getPropertyValue(`--${name}`).trim()]
    })
  )
  colors.dark = matchMedia("(prefers-color-scheme: dark)").matches
}

// A few categories that make up the most have a color each, the rest has one. Classes have all.
function group({role, values, categories}) {
  const sizes = new Uint32Array(categories.length)
  for (const value of values) sizes[value]++
  let listed = categories.map((_, category) => category)
  if (!role && listed.length > 20) {
    listed.sort((a, b) => sizes[b] - sizes[a])
    listed = listed.slice(0, 19)
  }
  groups = listed.map((category) => ({name: categories[category], size: sizes[category], category}))
  groupOf = new Uint16Array(categories.length).fill(listed.length)
  listed.forEach((category, number) => (groupOf[category] = number))
  const rest = categories.length - listed.length
  if (rest) {
    const others = size - groups.reduce((sum, one) => sum + one.size, 0)
    groups.push({name: `${plain(rest)} others`, size: others})
  }
}

// The ends of the scale leave out the outermost half percent, or one odd value would take all
// colors.
function spread({values}) {
  const sorted = Float64Array.from(values.filter(Number.isFinite)).sort()
  if (!sorted.length) return {low: 0, high: 0, place: (value) => value, cut: ["", ""]}
  const at = (share) => sorted[Math.round(share * (sorted.length - 1))]
  const [low, high] = [at(0.005), at(0.995)]
  const logarithmic = low > 0 && high > 1000 * low
  const scaled = logarithmic ? Math.log : (value) => value
  const place = (value) => (scaled(value) - scaled(low)) / (scaled(high) - scaled(low) || 1)
  const cut = [sorted[0] < low ? "≤ " : "", sorted[sorted.length - 1] > high ? "≥ " : ""]
  return {low, high, place, cut, logarithmic}
}

function recolor() {
  const theme = colors.dark ? "dark" : "light"
  const shade = new Uint16Array(size)
  let palette
  groups = []
  if (choice.ranks) {
    palette = data.ramps.words[theme].map(rgb)
    const whole = Math.log(Math.max(size, 2))
    for (let i = 0; i < size; i++) shade[i] = (Math.log(i + 1) / whole) * (palette.length - 1)
  } else if (choice.categories) {
    group(choice)
    const gray = mix(rgb(colors.quiet), rgb(colors.paper), 0.4)
    palette = groups.map(({category}, number) => {
      return category === undefined ? gray : classColor(number)
    })
    for (let i = 0; i < size; i++) shade[i] = groupOf[choice.values[i]]
  } else if (choice.values) {
    palette = data.ramps.numbers[theme].map(rgb)
    const last = palette.length - 1
    palette.push(mix(rgb(colors.quiet), rgb(colors.paper), 0.5)) // what has no number
    const {place} = spread(choice)
    for (let i = 0; i < size; i++) {
      const share = Math.min(1, Math.max(0, place(choice.values[i])))
      shade[i] = Number.isNaN(share) ? last + 1 : Math.round(last * share)
    }
  } else {
    palette = [classColor(0)]
  }
  view.dress({shade, palette, paper: rgb(colors.paper), alpha: near.length ? 0.35 : 0.75})
}

function showLegend() {
  const legend = element("legend")
  legend.classList.toggle("many", groups.length > 20)
  legend.replaceChildren()
  if (choice.categories) {
    legend.replaceChildren(
      ...groups.map(({name, size}, number) => {
        const mark = made("span", "", "mark")
        mark.style.background = css(view.palette[number])
        const entry = button([mark, made("span", name), made("span", plain(size))], () => {
          if (!shown.delete(number)) shown.add(number)
          applyLegend()
        })
        entry.title = "Click to hide or show, double click to show this alone"
        entry.addEventListener("dblclick", () => {
          shown.clear()
          shown.add(number)
          applyLegend()
        })
        return entry
      })
    )
  } else if (choice.values) {
    const {low, high, cut, logarithmic} = spread(choice)
    const bar = made("div", "", "bar")
    const stops = view.palette.slice(0, -1).map(css).join(", ")
    bar.style.background = `linear-gradient(to right, ${stops})`
    const ends = made("div", "", "ends")
    const text = (value) => told({values: [value]}, 0)
    const parts = [cut[0] + text(low), logarithmic ? "logarithmic" : "", cut[1] + text(high)]
    ends.append(...parts.map((part) => made("span", part)))
    legend.append(bar, ends)
  }
}

// A click hides or shows a class; a second one on the only class shown brings all back.
function applyLegend() {
  if (!shown.size) groups.forEach((_, number) => shown.add(number))
  for (let i = 0; i < size; i++) {
    view.visible[i] = !groups.length || shown.has(groupOf[choice.values[i]]) ? 1 : 0
  }
  state.classes = groups.filter((_, number) => shown.has(number)).map(({name}) => name).join(" ")
  for (const [number, entry] of groups.length ? [...element("legend").children].entries() : []) {
    entry.setAttribute("aria-pressed", shown.has(number))
  }
  clusters = []
  if (choice.categories) nameClusters(choice, groups.flatMap(({category}) => category ?? []))
  relabel()
  view.repaint()
}

function colorBy(number) {
  choice = choices[number]
  state.color = choice.name
  recolor()
  shown.clear()
  showLegend()
  applyLegend()
}

element("color").replaceChildren(
  ...choices.map(({name}, number) => {
    const option = made("option", name)
    option.value = number
    return option
  })
)
element("color-by").hidden = choices.length < 2
element("color").addEventListener("change", () => colorBy(Number(element("color").value)))

matchMedia("(prefers-color-scheme: dark)").addEventListener("change", () => {
  readTheme()
  recolor()
  showLegend()
  applyLegend()
})

function clear() {
  select(undefined)
  element("word").value = ""
  view.onhover(undefined)
}

const STEPS = {ArrowLeft: [-80, 0], ArrowRight: [80, 0], ArrowUp: [0, -80], ArrowDown: [0, 80]}
view.canvas.addEventListener("keydown", (event) => {
  if (event.ctrlKey || event.metaKey || event.altKey) return
  if (STEPS[event.key]) view.moveBy(...STEPS[event.key])
  else if ("+=".includes(event.key)) view.zoom(1 / 1.4)
  else if (event.key === "-") view.zoom(1.4)
  else if (event.key === "0") view.lookAtAll()
  else if (event.key === "Enter") select(view.middle())
  else return
  event.preventDefault()
})

document.addEventListener("keydown", (event) => {
  if (event.key === "Escape") return clear()
  if (event.key === "/" && !element("search").hidden && !event.target.matches("input, select")) {
    event.preventDefault()
    return element("word").focus()
  }
  // Up and down from the box through the suggestions.
  const stops = [element("word"), ...element("suggestions").children]
  const at = stops.indexOf(event.target)
  const next = at + {ArrowDown: 1, ArrowUp: -1}[event.key]
  if (at < 0 || !stops[next]) return
  event.preventDefault()
  stops[next].focus()
})

readTheme()
colorBy(0)
