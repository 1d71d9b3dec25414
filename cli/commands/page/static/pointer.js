// One pointer for several pictures of the same scene: where it is, and what each has there.
import { h, number } from './dom.js'

export class Pointer {
  constructor() { this.frames = new Set(); this.at = null }

  // A picture in its frame: values is an array of floats, row by row, and grid its [width, height].
  frame(image, name, { onpick } = {}) {
    const cross = h('i', { class: 'cross', hidden: true, 'aria-hidden': 'true' })
    const out = h('output', { class: 'value' })
    const box = h('div', { class: 'frame', tabindex: '0', role: 'group', 'aria-label': `${name}; the arrow keys move the pointer` }, image, cross)
    const own = { box, cross, out, values: null, grid: null, image }
    box.addEventListener('pointermove', event => this.move(...place(event, image)))
    box.addEventListener('pointerleave', () => this.move(null))
    box.addEventListener('click', event => onpick?.(...place(event, image)))
    box.addEventListener('keydown', event => {
      const step = { ArrowLeft: [-1, 0], ArrowRight: [1, 0], ArrowUp: [0, -1], ArrowDown: [0, 1] }[event.key]
      const [x, y] = this.at ?? [0.5, 0.5]
      if (step) this.move(clamp(x + step[0] / 50), clamp(y + step[1] / 50))
      else if (event.key === 'Enter' && onpick) onpick(x, y)
      else return
      event.preventDefault()
    })
    this.frames.add(own)
    return own
  }

  async load(own, url, grid) {
    const answer = await fetch(url)
    if (!answer.ok) return
    own.values = new Float32Array(await answer.arrayBuffer())
    own.grid = grid
    this.show(own)
  }

  forget(own) { this.frames.delete(own) }

  move(x, y) {
    this.at = x === null ? null : [x, y]
    for (const own of this.frames) this.show(own)
  }

  show(own) {
    own.cross.hidden = this.at === null
    own.out.textContent = ''
    if (this.at === null) return
    const [x, y] = this.at
    own.cross.style.left = `${x * 100}%`
    own.cross.style.top = `${y * 100}%`
    if (own.values) {
      const [width, height] = own.grid
      const column = Math.min(width - 1, Math.floor(x * width)), row = Math.min(height - 1, Math.floor(y * height))
      own.out.textContent = number(own.values[row * width + column])
    }
  }
}

const clamp = share => Math.min(0.999, Math.max(0, share))

function place(event, image) {
  const box = image.getBoundingClientRect()
  return [clamp((event.clientX - box.left) / box.width), clamp((event.clientY - box.top) / box.height)]
}
