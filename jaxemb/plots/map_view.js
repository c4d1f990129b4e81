// A canvas of points that can be moved and zoomed. It blends its discs by itself: 100,000 of them
// take some 20 ms that way, without a graphics card too, where a browser's own need 600. A picture
// moved sideways is shifted, and only the strips that come into view are blended.
class MapView {
  // x, y: where; radius: quarters of a pixel. frame: [x0, x1, y0, y1] of the whole map, which a few
  // points may lie outside of. order: in which points are drawn, the last on top.
  // hit: (candidates, nearest first) -> one.
  constructor(canvas, {x, y, radius, frame, order, hit}) {
    Object.assign(this, {canvas, x, y, radius, frame, order, hit})
    this.context = canvas.getContext("2d")
    this.visible = new Uint8Array(x.length).fill(1)
    this.onmove = this.onhover = this.onclick = this.ondraw = () => {}
    this.extent = [...extremes(x), ...extremes(y)]
    this.indexPoints()
    new ResizeObserver(() => this.resize()).observe(canvas.parentElement)
    this.listen()
  }

  // shade: position of each point in the palette of [r, g, b]; paper: the color behind; alpha: of
  // the points.
  dress(look) {
    Object.assign(this, look)
    this.repaint()
  }

  scaleOf([x0, x1, y0, y1]) {
    const least = Math.max(1e-9 * Math.abs(x0), 1e-30)
    return 1.08 * Math.max((x1 - x0) / this.width, (y1 - y0) / this.height, least)
  }

  wholeScale() {
    return this.scaleOf(this.frame)
  }

  limited(scale) {
    const whole = this.wholeScale()
    // From wherever one is, what lies farthest off can be seen.
    const most = Math.max(whole * 3, 2.2 * this.scaleOf(this.extent))
    return Math.min(Math.max(scale, whole / 1e4), most)
  }

  // One scale, in units per pixel, for both axes: distances in the map can be compared by eye.
  look(middleX, middleY, scale) {
    this.middleX = middleX
    this.middleY = middleY
    this.scale = this.limited(scale)
    this.redraw()
    this.onmove()
  }

  lookAtAll() {
    const [x0, x1, y0, y1] = this.frame
    this.look((x0 + x1) / 2, (y0 + y1) / 2, this.wholeScale())
  }

  moveBy(right, down) {
    this.look(this.middleX + right * this.scale, this.middleY - down * this.scale, this.scale)
  }

  // [x0, x1, y0, y1] of what is in view.
  view() {
    const [w, h] = [(this.width * this.scale) / 2, (this.height * this.scale) / 2]
    return [this.middleX - w, this.middleX + w, this.middleY - h, this.middleY + h]
  }

  // Where the map's origin lies, in whole pixels of the screen: so the points keep their distances
  // in pixels while the map moves sideways.
  origin() {
    const toPixel = this.ratio / this.scale
    const {width, height} = this.image
    return [
      Math.round(width / 2 - this.middleX * toPixel),
      Math.round(height / 2 + this.middleY * toPixel),
      toPixel,
    ]
  }

  // [left, top] of a place of the map, in pixels of the page.
  place(x, y) {
    const [left, top, toPixel] = this.origin()
    const [right, up] = [Math.round(x * toPixel), Math.round(y * toPixel)]
    return [(left + right) / this.ratio, (top - up) / this.ratio]
  }

  resize() {
    const {clientWidth, clientHeight} = this.canvas.parentElement
    if (!clientWidth || !clientHeight) return
    this.ratio = window.devicePixelRatio || 1
    ;[this.width, this.height] = [clientWidth, clientHeight]
    this.canvas.width = Math.round(clientWidth * this.ratio)
    this.canvas.height = Math.round(clientHeight * this.ratio)
    this.image = this.context.createImageData(this.canvas.width, this.canvas.height)
    this.drawn = undefined
    if (this.scale) this.look(this.middleX, this.middleY, this.scale)
    else this.lookAtAll()
  }

  // Draws all anew: colors have changed, or which points are visible.
  repaint() {
    this.drawn = undefined
    this.redraw()
  }

  redraw() {
    if (!this.image) return // the page has no size yet
    this.waiting ??= requestAnimationFrame(() => this.draw())
  }

  draw() {
    cancelAnimationFrame(this.waiting)
    this.waiting = undefined
    const {context, image, ratio} = this
    this.paint()
    context.setTransform(1, 0, 0, 1, 0, 0)
    context.putImageData(image, 0, 0)
    context.setTransform(ratio, 0, 0, ratio, 0, 0)
    this.ondraw(context)
  }

  paint() {
    const {width, height} = this.image
    const [left, top, toPixel] = this.origin()
    const {drawn} = this
    this.drawn = {left, top, toPixel}
    const [right, down] = drawn ? [left - drawn.left, top - drawn.top] : [0, 0]
    if (drawn?.toPixel !== toPixel || Math.abs(right) >= width || Math.abs(down) >= height) {
      return this.blend(0, width, 0, height)
    }
    const pixels = new Uint32Array(this.image.data.buffer)
    const shift = down * width + right
    if (shift > 0) pixels.copyWithin(shift, 0, pixels.length - shift)
    else pixels.copyWithin(0, -shift)
    // No pixel may be blended twice: the columns leave out the rows.
    const [first, last] = [Math.max(down, 0), height + Math.min(down, 0)]
    if (down) this.blend(0, width, down > 0 ? 0 : last, down > 0 ? first : height)
    if (right > 0) this.blend(0, right, first, last)
    if (right < 0) this.blend(width + right, width, first, last)
  }

  // Paints a part of the picture: columns from left to right, rows from top to bottom. This loop
  // takes nearly all of the time: it knows no arrays of arrays, and blends red and blue at once.
  blend(left, right, top, bottom) {
    const {x, y, shade, radius, order, visible} = this
    const {width} = this.image
    const pixels = new Uint32Array(this.image.data.buffer)
    const paper = packed(this.paper)
    for (let row = top; row < bottom; row++) {
      pixels.fill(paper, row * width + left, row * width + right)
    }
    const palette = Uint32Array.from(this.palette, packed)
    const [originX, originY, toPixel] = this.origin()
    // Points grow a little as one comes nearer.
    const growth = this.ratio * Math.min(3, Math.max(1, (this.wholeScale() / this.scale) ** 0.3))
    const masks = []
    for (let nth = 0; nth < order.length; nth++) {
      const i = order[nth]
      if (!visible[i]) continue
      const mask = (masks[radius[i]] ??= disc((radius[i] / 4) * growth, this.alpha, width))
      const {reach, weights, rows, columns, offsets} = mask
      const middleX = originX + Math.round(x[i] * toPixel)
      const middleY = originY - Math.round(y[i] * toPixel)
      const from = Math.max(middleX - reach, left)
      const to = Math.min(middleX + reach + 1, right)
      const first = Math.max(middleY - reach, top)
      const last = Math.min(middleY + reach + 1, bottom)
      if (from >= to || first >= last) continue
      const red_blue = palette[shade[i]] & 0xff00ff
      const green = palette[shade[i]] & 0xff00
      const base = middleY * width + middleX
      const whole = to - from === 2 * reach + 1 && last - first === 2 * reach + 1
      for (let part = 0; part < weights.length; part++) {
        if (!whole) {
          const row = middleY + rows[part]
          const column = middleX + columns[part]
          if (row < first || row >= last || column < from || column >= to) continue
        }
        const at = base + offsets[part]
        const weight = weights[part] // of 256
        const rest = 256 - weight
        const before = pixels[at]
        const two = Math.imul(before & 0xff00ff, rest) + Math.imul(red_blue, weight) + 0x800080
        const one = Math.imul(before & 0xff00, rest) + Math.imul(green, weight) + 0x8000
        pixels[at] = ((two >>> 8) & 0xff00ff) | ((one >>> 8) & 0xff00) | 0xff000000
      }
    }
  }

  // Sorts the points into cells, so that the few under the pointer are found without asking all.
  indexPoints() {
    const {x, y} = this
    const [x0, x1, y0, y1] = this.frame
    const side = Math.max(1, Math.ceil(Math.sqrt(x.length / 4)))
    const place = (value, low, high) =>
      Math.min(side - 1, Math.max(0, Math.floor(((value - low) / (high - low || 1)) * side)))
    this.column = (value) => place(value, x0, x1)
    this.cell = (column, value) => place(value, y0, y1) * side + column
    const cells = Uint32Array.from(x, (value, i) => this.cell(this.column(value), y[i]))
    this.starts = new Uint32Array(side * side + 1)
    for (const cell of cells) this.starts[cell + 1]++
    for (let cell = 0; cell < side * side; cell++) this.starts[cell + 1] += this.starts[cell]
    const next = this.starts.slice()
    this.sorted = new Uint32Array(x.length)
    cells.forEach((cell, i) => (this.sorted[next[cell]++] = i))
    this.side = side
  }

  // The point at a place of the canvas, or undefined.
  at(left, top) {
    const reach = 9 * this.scale
    const x = this.middleX + (left - this.width / 2) * this.scale
    const y = this.middleY - (top - this.height / 2) * this.scale
    const found = []
    for (let column = this.column(x - reach); column <= this.column(x + reach); column++) {
      const last = this.cell(column, y + reach)
      for (let cell = this.cell(column, y - reach); cell <= last; cell += this.side) {
        for (const i of this.sorted.subarray(this.starts[cell], this.starts[cell + 1])) {
          const far = Math.hypot(this.x[i] - x, this.y[i] - y) / this.scale
          if (this.visible[i] && far <= Math.max(4, this.radius[i] / 4 + 1)) found.push([far, i])
        }
      }
    }
    found.sort(([a], [b]) => a - b)
    return found.length ? this.hit(found.map(([, i]) => i)) : undefined
  }

  // The visible point nearest to the middle of the view.
  middle() {
    let [least, nearest] = [Infinity, undefined]
    for (let i = 0; i < this.x.length; i++) {
      const far = Math.hypot(this.x[i] - this.middleX, this.y[i] - this.middleY)
      if (this.visible[i] && far < least) [least, nearest] = [far, i]
    }
    return nearest
  }

  // Zooms so that what lies under this place stays there.
  zoom(factor, left = this.width / 2, top = this.height / 2) {
    const before = this.scale
    const [right, down] = [left - this.width / 2, top - this.height / 2]
    const [x, y] = [this.middleX + right * before, this.middleY - down * before]
    const scale = this.limited(before * factor)
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
      this.moveBy(-right / held.size, -down / held.size)
      if (held.size !== 2) return
      const [[, other]] = [...held].filter(([id]) => id !== event.pointerId)
      const wide = (a, b) => Math.hypot(a[0] - b[0], a[1] - b[1]) + 1
      const factor = wide(before, other) / wide([left, top], other)
      this.zoom(factor, (left + other[0]) / 2, (top + other[1]) / 2)
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

// A color as a pixel of the canvas.
function packed([red, green, blue]) {
  return new Uint32Array(Uint8ClampedArray.of(red, green, blue, 255).buffer)[0]
}

// The pixels of a disc around its middle one, with soft edges: where they lie, and their weights.
function disc(radius, alpha, width) {
  const reach = Math.ceil(radius)
  const [rows, columns, weights] = [[], [], []]
  for (let row = -reach; row <= reach; row++) {
    for (let column = -reach; column <= reach; column++) {
      const weight = Math.round(256 * alpha * Math.min(1, radius + 0.5 - Math.hypot(row, column)))
      if (weight <= 0) continue
      rows.push(row)
      columns.push(column)
      weights.push(weight)
    }
  }
  const offsets = rows.map((row, nth) => row * width + columns[nth])
  const [r, c, w, o] = [rows, columns, weights, offsets].map((list) => Int32Array.from(list))
  return {reach, rows: r, columns: c, weights: w, offsets: o}
}
