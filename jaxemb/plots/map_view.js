// A canvas of points that can be moved and zoomed. It blends its discs by itself: 70,000 of them
// take some 10 ms that way, without a graphics card too, where a browser's own need 400.
class MapView {
  // x, y: where; shade: position in the palette of [r, g, b]; radius: quarters of a pixel.
  // order: in which points are drawn, the last on top. hit: (candidates, nearest first) -> one.
  constructor(canvas, {x, y, shade, radius, palette, order, hit}) {
    Object.assign(this, {canvas, x, y, shade, radius, palette, order, hit})
    this.context = canvas.getContext("2d")
    this.visible = new Uint8Array(x.length).fill(1)
    this.alpha = 0.75
    this.onmove = this.onhover = this.onclick = this.ondraw = () => {}
    this.extent = [...extremes(x), ...extremes(y)]
    this.indexPoints()
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement)
    this.listen()
  }

  wholeScale() {
    const [x0, x1, y0, y1] = this.extent
    return 1.08 * Math.max((x1 - x0) / this.width, (y1 - y0) / this.height, 1e-9 * Math.abs(x0), 1e-30)
  }

  // One scale, in units per pixel, for both axes: distances in the map can be compared by eye.
  look(middleX, middleY, scale) {
    const whole = this.wholeScale()
    this.middleX = middleX
    this.middleY = middleY
    this.scale = Math.min(Math.max(scale, whole / 1e4), whole * 3)
    this.redraw()
    this.onmove()
  }

  lookAtAll() {
    const [x0, x1, y0, y1] = this.extent
    this.look((x0 + x1) / 2, (y0 + y1) / 2, this.wholeScale())
  }

  // [x0, x1, y0, y1] of what is in view.
  view() {
    const [w, h] = [(this.width * this.scale) / 2, (this.height * this.scale) / 2]
    return [this.middleX - w, this.middleX + w, this.middleY - h, this.middleY + h]
  }

  left(i) {
    return this.width / 2 + (this.x[i] - this.middleX) / this.scale
  }

  top(i) {
    return this.height / 2 - (this.y[i] - this.middleY) / this.scale
  }

  resize() {
    const {clientWidth, clientHeight} = this.canvas.parentElement
    if (!clientWidth || !clientHeight) return
    this.ratio = window.devicePixelRatio || 1
    ;[this.width, this.height] = [clientWidth, clientHeight]
    this.canvas.width = Math.round(clientWidth * this.ratio)
    this.canvas.height = Math.round(clientHeight * this.ratio)
    this.image = this.context.createImageData(this.canvas.width, this.canvas.height)
    if (this.scale) this.look(this.middleX, this.middleY, this.scale)
    else this.lookAtAll()
  }

  redraw() {
    if (!this.image) return // the page has no size yet
    this.waiting ??= requestAnimationFrame(() => {
      this.waiting = undefined
      this.draw()
    })
  }

  draw() {
    const began = performance.now()
    const {context, image, ratio} = this
    new Uint32Array(image.data.buffer).fill(0xffffffff)
    this.blend(image.data, image.width, image.height)
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.putImageData(image, 0, 0)
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    this.ondraw(context)
    this.milliseconds = performance.now() - began
  }

  blend(pixels, width, height) {
    const {x, y, shade, radius, palette, order, visible} = this
    const toPixel = this.ratio / this.scale
    const [left, top] = [width / 2 - this.middleX * toPixel, height / 2 + this.middleY * toPixel]
    // Points grow a little as one comes nearer.
    const growth = this.ratio * Math.min(3, Math.max(1, (this.wholeScale() / this.scale) ** 0.3))
    const masks = new Map()
    for (const i of order) {
      if (!visible[i]) continue
      if (!masks.has(radius[i])) masks.set(radius[i], disc((radius[i] / 4) * growth, this.alpha))
      const {reach, weights} = masks.get(radius[i])
      const middleX = Math.round(left + x[i] * toPixel)
      const middleY = Math.round(top - y[i] * toPixel)
      if (middleX < reach || middleY < reach || middleX >= width - reach || middleY >= height - reach) continue
      const [r, g, b] = palette[shade[i]]
      let nth = 0
      for (let row = middleY - reach; row <= middleY + reach; row++) {
        let at = 4 * (row * width + middleX - reach)
        for (let column = -reach; column <= reach; column++, at += 4) {
          const weight = weights[nth++]
          if (!weight) continue
          pixels[at] += weight * (r - pixels[at])
          pixels[at + 1] += weight * (g - pixels[at + 1])
          pixels[at + 2] += weight * (b - pixels[at + 2])
        }
      }
    }
  }

  // Sorts the points into cells, so that the few under the pointer are found without asking all.
  indexPoints() {
    const [x0, x1, y0, y1] = this.extent
    this.side = Math.max(1, Math.ceil(Math.sqrt(this.x.length / 4)))
    const place = (value, low, high) =>
      Math.min(this.side - 1, Math.max(0, Math.floor(((value - low) / (high - low || 1)) * this.side)))
    this.column = (value) => place(value, x0, x1)
    this.row = (value) => place(value, y0, y1)
    this.cells = new Map()
    for (let i = 0; i < this.x.length; i++) {
      const cell = this.row(this.y[i]) * this.side + this.column(this.x[i])
      const held = this.cells.get(cell)
      if (held) held.push(i)
      else this.cells.set(cell, [i])
    }
  }

  // The point at a place of the canvas, or undefined.
  at(left, top) {
    const reach = 9 * this.scale
    const x = this.middleX + (left - this.width / 2) * this.scale
    const y = this.middleY - (top - this.height / 2) * this.scale
    const found = []
    for (let row = this.row(y - reach); row <= this.row(y + reach); row++) {
      for (let column = this.column(x - reach); column <= this.column(x + reach); column++) {
        for (const i of this.cells.get(row * this.side + column) ?? []) {
          const far = Math.hypot(this.x[i] - x, this.y[i] - y) / this.scale
          if (this.visible[i] && far <= Math.max(4, this.radius[i] / 4 + 1)) found.push([far, i])
        }
      }
    }
    found.sort(([a], [b]) => a - b)
    return found.length ? this.hit(found.map(([, i]) => i)) : undefined
  }

  // Zooms so that what lies under this place stays there.
  zoom(factor, left, top) {
    const before = this.scale
    const [right, down] = [left - this.width / 2, top - this.height / 2]
    const [x, y] = [this.middleX + right * before, this.middleY - down * before]
    const whole = this.wholeScale()
    const scale = Math.min(Math.max(before * factor, whole / 1e4), whole * 3)
    this.look(x - right * scale, y + down * scale, scale)
  }

  // Drag to move, wheel or two fingers to zoom; what doesn't move is a click.
  listen() {
    const {canvas} = this
    const held = new Map()
    let moved = 0
    const place = (event) => {
      const box = canvas.getBoundingClientRect()
      return [event.clientX - box.left, event.clientY - box.top]
    }
    canvas.addEventListener("wheel", (event) => {
      event.preventDefault()
      this.zoom(Math.exp(event.deltaY * (event.deltaMode ? 0.05 : 0.0016)), ...place(event))
    }, {passive: false})
    canvas.addEventListener("pointerdown", (event) => {
      canvas.setPointerCapture(event.pointerId)
      held.set(event.pointerId, place(event))
      if (held.size === 1) moved = 0
    })
    canvas.addEventListener("pointermove", (event) => {
      const [left, top] = place(event)
      const before = held.get(event.pointerId)
      if (!before) return this.onhover(this.at(left, top), left, top)
      const [right, down] = [left - before[0], top - before[1]]
      moved += Math.abs(right) + Math.abs(down)
      if (moved <= 3) return
      held.set(event.pointerId, [left, top])
      this.onhover(undefined)
      // Of two fingers each moves the map by half.
      const share = this.scale / held.size
      this.look(this.middleX - right * share, this.middleY + down * share, this.scale)
      if (held.size !== 2) return
      const [[, other]] = [...held].filter(([id]) => id !== event.pointerId)
      const wide = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) + 1
      this.zoom(wide(before, other) / wide([left, top], other), (left + other[0]) / 2, (top + other[1]) / 2)
    })
    const release = (event) => {
      const clicked = event.type === "pointerup" && held.size === 1 && moved <= 3
      held.delete(event.pointerId)
      if (clicked) this.onclick(this.at(...place(event)))
    }
    canvas.addEventListener("pointerup", release)
    canvas.addEventListener("pointercancel", release)
    canvas.addEventListener("pointerleave", () => this.onhover(undefined))
  }
}

function extremes(values) {
  let [low, high] = [Infinity, -Infinity]
  for (const value of values) {
    if (value < low) low = value
    if (value > high) high = value
  }
  return [low, high]
}

// Weights of the pixels of a disc around its middle one, with soft edges.
function disc(radius, alpha) {
  const reach = Math.ceil(radius)
  const weights = []
  for (let row = -reach; row <= reach; row++) {
    for (let column = -reach; column <= reach; column++) {
      weights.push(alpha * Math.min(1, Math.max(0, radius + 0.5 - Math.hypot(row, column))))
    }
  }
  return {reach, weights: Float32Array.from(weights)}
}
