// Search among names, and the legend of classes.

const numberOf = new Map()
// Backwards: of equal names the most frequent stays.
for (let i = size - 1; names && i >= 0; i--) numberOf.set(names[i], i)

function suggest(text) {
  const found = []
  for (let i = 0; i < size && found.length < 8; i++) if (names[i].startsWith(text)) found.push(i)
  element("suggestions").replaceChildren(...found.map((i) => button([names[i]], () => go(i))))
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

element("search").hidden = !names
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

// A click hides or shows a class; a second one on the only class shown brings all back.
const shown = new Set(classes.map((_, number) => number))
function applyLegend() {
  if (!shown.size) classes.forEach((_, number) => shown.add(number))
  for (let i = 0; i < size; i++) view.visible[i] = shown.has(labels[i]) ? 1 : 0
  state.classes = [...shown].sort((a, b) => a - b).map((number) => classes[number]).join(" ")
  for (const [number, entry] of [...element("legend").children].entries()) {
    entry.setAttribute("aria-pressed", shown.has(number))
  }
  relabel()
  view.redraw()
}

if (labels) {
  const sizes = new Uint32Array(classes.length)
  for (const label of labels) sizes[label]++
  element("legend").classList.toggle("many", classes.length > 20)
  element("legend").replaceChildren(
    ...classes.map((name, number) => {
      const mark = span("")
      mark.className = "mark"
      mark.style.background = palette[number % palette.length]
      const entry = button([mark, span(name), span(sizes[number].toLocaleString("en"))], () => {
        if (!shown.delete(number)) shown.add(number)
        applyLegend()
      })
      entry.title = "Click to hide or show, double click to show this class alone"
      entry.addEventListener("dblclick", () => {
        shown.clear()
        shown.add(number)
        applyLegend()
      })
      return entry
    })
  )
  applyLegend()
}
