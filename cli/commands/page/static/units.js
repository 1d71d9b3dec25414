// Units: a place, the units that fire there, and what excites one of them.
import { choose, copier, h, number, slider, stream } from './dom.js'
import { learnLayers } from './look.js'
import { Pointer } from './pointer.js'

let parts, layers = [], closers = {}, last = {}, state = {}
const pointer = new Pointer()

export function mount(root) {
  const photo = h('img', { alt: '' })
  const frame = pointer.frame(photo, 'The picture: choose a place with Enter', { onpick: (x, y) => choose({ place: `${x.toFixed(4)},${y.toFixed(4)}`, unit: '' }) })
  const spot = h('i', { class: 'spot', hidden: true, 'aria-hidden': 'true' })
  frame.box.append(spot)
  const layer = slider('Layer', { min: 1, max: 1, step: 1, value: 1, text: at => layers[at - 1] ? `${layers[at - 1].name} (${layers[at - 1].rows} × ${layers[at - 1].columns}, ${layers[at - 1].channels} channels)` : '…',
    change: at => choose({ layer: layers[at - 1].name, unit: '' }) })
  const list = h('ol', { class: 'bars', 'aria-label': 'Units that fire at this place' })
  const title = h('h2', {}, 'Units here'), hint = h('p', { class: 'soft' }, 'Click a place in the picture, or choose one with the arrow keys and Enter.')
  const unit = h('section', { class: 'unit', 'aria-live': 'polite' })
  root.append(h('div', { class: 'split' }, h('div', { class: 'card' }, h('div', { class: 'controls' }, layer.field), frame.box, title, hint, list), unit))
  parts = { photo, spot, layer, list, title, hint, unit }
}

export function show(now) {
  state = now
  if (parts.photo.dataset.id !== now.picture) {
    parts.photo.src = `/picture/${now.picture}/1600`
    parts.photo.dataset.id = now.picture
    parts.photo.alt = 'The picture'
  }
  learnLayers(found => {
    layers = found
    parts.layer.range.max = layers.length
    const at = layers.findIndex(layer => now.layer ? layer.name === now.layer : layer.default)
    parts.layer.set(Math.max(0, at) + 1)
  })
  const [x, y] = (now.place ?? '').split(',')
  parts.spot.hidden = !now.place
  if (now.place) { parts.spot.style.left = `${x * 100}%`; parts.spot.style.top = `${y * 100}%` }
  once('place', [now.picture, now.layer, now.place], places)
  once('unit', [now.picture, now.unit], open)
}

export function leave() { for (const close of Object.values(closers)) close(); closers = {}; last = {} }

function once(name, key, run) {
  if (last[name] === String(key)) return
  last[name] = String(key)
  run()
}

function places() {
  closers.place?.()
  if (!state.place) { parts.list.replaceChildren(); parts.hint.hidden = false; return }
  closers.place = stream('place', { picture: state.picture, layer: state.layer, place: state.place }, { units: listed })
}

function listed({ layer, row, column, rows, columns, found }) {
  parts.title.textContent = `${layer}, row ${row} of ${rows}, column ${column} of ${columns}`
  parts.hint.hidden = true
  const most = found[0]?.value ?? 1
  parts.list.replaceChildren(...found.map(one => {
    const bar = h('i', { 'aria-hidden': 'true' })
    bar.style.width = `${100 * one.value / most}%`
    return h('li', {}, h('button', { type: 'button', 'aria-pressed': String(one.unit === state.unit), title: `${Math.round(one.share * 100)} % of the most that it has in this picture`, onclick: () => choose({ unit: one.unit }) },
      h('span', {}, `channel ${one.channel}`), h('b', {}, number(one.value)), bar))
  }))
  if (!found.length) parts.list.replaceChildren(h('li', { class: 'soft' }, 'No unit of this layer fires here.'))
}

function open() {
  closers.unit?.()
  closers.draw?.()
  for (const button of parts.list.querySelectorAll('button')) button.setAttribute('aria-pressed', String(button.textContent.startsWith(`channel ${channelOf(state.unit)}`) && !!state.unit))
  if (!state.unit) return parts.unit.replaceChildren(h('p', { class: 'soft' }, 'A unit of the list leads to the crops of the pictures that excite it most, to what excited it here, and to a picture drawn for it.'))
  const unit = state.unit, layer = unit.slice(0, unit.lastIndexOf(':')), channel = channelOf(unit), at = unit.split('@')[1] ?? ''
  const crops = h('ul', { class: 'crops' }), note = h('p', { class: 'soft' }), here = h('img', { alt: '' }), drawn = h('img', { alt: '' })
  const said = h('p', { class: 'soft' }), cropActions = h('div', { class: 'actions' }), hereActions = h('div', { class: 'actions' }), drawActions = h('div', { class: 'actions' })
  const begin = h('button', { type: 'button', class: 'main', onclick: toggle }, 'Draw it')
  let frames = 0
  parts.unit.replaceChildren(h('h2', {}, `${layer}: channel ${channel}`),
    h('h3', {}, 'What excites it most'), note, crops, cropActions,
    h('div', { class: 'pair' },
      h('figure', { class: 'card' }, h('figcaption', {}, h('h3', {}, 'What excited it here')), h('div', { class: 'frame' }, here), hereActions),
      h('figure', { class: 'card drawn' }, h('figcaption', {}, h('h3', {}, 'Its picture, drawn'), begin), h('div', { class: 'frame' }, drawn), said, drawActions)))
  closers.unit = stream('unit', { picture: state.picture, layer, channel, at }, {
    crops: found => {
      note.textContent = found.crops.length ? `Of ${found.pictures} pictures, with the pattern in each that it answers to.` : `It is never above 0 in ${found.pictures} pictures.`
      crops.replaceChildren(...found.crops.map(crop => h('li', {}, h('img', { src: crop.src, alt: `crop of ${crop.name}` }), h('div', { class: 'pattern' }), h('span', {}, `${number(crop.value)} ${crop.name}`))))
      cropActions.replaceChildren(copier('Copy the command', () => found.command))
    },
    map: found => { here.src = found.file; here.alt = found.label; hereActions.replaceChildren(h('a', { class: 'small button', href: `${found.file}?save`, download: '' }, 'Save PNG'), copier('Copy the command', () => found.command), copier('Copy the Python', () => found.python)) },
    pattern: ({ number: at, src }) => { if (src) crops.children[at]?.querySelector('.pattern').replaceChildren(h('img', { src, alt: 'the pattern in it' })) },
  })
  function toggle() {
    if (begin.textContent === 'Stop') { closers.draw(); begin.textContent = 'Draw it'; return }
    begin.textContent = 'Stop'
    frames = 0
    drawActions.replaceChildren()
    closers.draw = stream('draw', { layer, channel }, {
      frame: ({ step, score, src }) => { drawn.src = src; drawn.dataset.frames = ++frames; drawn.alt = `step ${step}`; said.textContent = `step ${step}, the unit ${number(score)}` },
      file: found => { drawn.src = found.src; drawn.dataset.done = 'true'; drawActions.replaceChildren(h('a', { class: 'small button', href: `${found.file}?save`, download: '' }, 'Save PNG'), copier('Copy the command', () => found.command)) },
      end: () => { begin.textContent = 'Draw it' },
    })
  }
}

const channelOf = unit => (unit ?? '').slice((unit ?? '').lastIndexOf(':') + 1).split('@')[0]
