// Look: predictions, maps of several methods under one pointer, and how far to believe each.
import { choose, classField, copier, h, later, number, percent, slider, stream } from './dom.js'
import { Pointer } from './pointer.js'

const MOST = 6
let about, parts, close = () => {}, last = '', layers = []
const cards = new Map(), pointer = new Pointer()

export function mount(root, given) {
  about = given
  const photo = h('img', { alt: '' })
  const frame = pointer.frame(photo, 'The picture', { onpick: (x, y) => choose({ tab: 'units', place: `${x.toFixed(4)},${y.toFixed(4)}` }) })
  const bars = h('ol', { class: 'bars', 'aria-label': 'Predictions' })
  const query = classField('Class', 'top prediction', value => choose({ class: value }))
  const versus = classField('Versus', 'nothing', value => choose({ versus: value }))
  const layer = slider('Layer', { min: 0, max: 0, step: 1, value: 0, text: layerName, change: at => choose({ layer: layers[at - 1]?.name ?? '' }) })
  const opacity = slider('Opacity', { min: 0.1, max: 1, step: 0.02, value: 0.72, text: value => `${Math.round(value * 100)} %`,
    input: later(value => choose({ opacity: Number(value) === 0.72 ? '' : value }, { quietly: true })) })
  const methods = h('details', { class: 'pick' }, h('summary', {}, 'Methods'), h('ul', {}, about.methods.map(option)))
  const grid = h('div', { class: 'maps' })
  const picture = h('figure', { class: 'card' }, h('figcaption', {}, h('h2', {}, 'Picture')), frame.box,
    h('p', { class: 'soft' }, 'Click a place to see which units fire there.'), bars)
  grid.append(picture)
  root.append(h('form', { class: 'controls', onsubmit: event => event.preventDefault() }, methods, query.field, versus.field, layer.field, opacity.field), grid, legend())
  parts = { photo, frame, bars, query, versus, layer, opacity, methods, grid, picture, root }
}

const layerName = at => layers[at - 1] ? `${layers[at - 1].name} (${layers[at - 1].rows} × ${layers[at - 1].columns})` : 'the last map'

function option(method) {
  const box = h('input', { type: 'checkbox', value: method.name, onchange: pick })
  return h('li', {}, h('label', { title: method.summary }, box, ' ', method.title))
}

function pick() {
  const boxes = [...parts.methods.querySelectorAll('input')]
  const names = boxes.filter(box => box.checked).map(box => box.value)
  const before = current(), kept = [...before.filter(name => names.includes(name)), ...names.filter(name => !before.includes(name))]
  choose({ methods: (kept.length ? kept : ['gradcam']).slice(0, MOST).join(',') })
}

let state = {}
const current = () => (state.methods ?? 'gradcam,guided_gradcam,integrated_gradients').split(',').slice(0, MOST)

export function show(now) {
  state = now
  const methods = current(), asked = { picture: now.picture, methods: methods.join(','), class: now.class, versus: now.versus, layer: now.layer, opacity: now.opacity }
  controls(now, methods)
  if (!layers.length) learnLayers()
  const key = JSON.stringify(asked)
  if (key === last || !now.picture) return
  last = key
  if (parts.photo.dataset.id !== now.picture) {
    parts.photo.src = `/picture/${now.picture}/1600`
    parts.photo.dataset.id = now.picture
    for (const card of cards.values()) { card.root.classList.add('stale'); card.verdict.replaceChildren() }
  }
  for (const [name, card] of cards) if (!methods.includes(name)) { card.root.remove(); pointer.forget(card.frame); cards.delete(name) }
  for (const name of methods) parts.grid.append(card(name).root)
  for (const name of methods) cards.get(name).root.setAttribute('aria-busy', 'true')
  close()
  close = stream('look', asked, {
    picture: seen, predictions: bars, map: drawn, failed, areas, sanity, unjudged,
    end: () => { for (const card of cards.values()) card.root.removeAttribute('aria-busy') },
  })
}

export function leave() { close(); close = () => {}; last = '' }

function controls(now, methods) {
  parts.query.input.value = now.class ?? ''
  parts.versus.input.value = now.versus ?? ''
  parts.opacity.set(now.opacity ?? 0.72)
  parts.layer.set(layers.findIndex(layer => layer.name === now.layer) + 1)
  parts.methods.querySelector('summary').textContent = `Methods: ${methods.length} of ${MOST}`
  for (const box of parts.methods.querySelectorAll('input')) {
    box.checked = methods.includes(box.value)
    box.disabled = !box.checked && methods.length >= MOST
  }
}

export function learnLayers(then) {
  if (layers.length) return then?.(layers)
  stream('layers', {}, {
    layers: found => {
      layers = found
      parts.layer.range.max = layers.length
      parts.layer.set(layers.findIndex(layer => layer.name === state.layer) + 1)
      then?.(layers)
    },
  })
}

function card(name) {
  if (cards.has(name)) return cards.get(name)
  const method = about.methods.find(one => one.name === name) ?? { title: name, summary: '' }
  const image = h('img', { alt: `${method.title} map` })
  const frame = pointer.frame(image, `${method.title} map`)
  const scale = h('div', { class: 'scale' }), verdict = h('p', { class: 'verdict' }), notes = h('p', { class: 'soft' })
  const own = { frame, image, scale, verdict, notes, about: null }
  const save = h('a', { class: 'small button', download: '' }, 'Save PNG')
  const actions = h('div', { class: 'actions' }, save, copier('Copy the command', () => own.about.command), copier('Copy the Python', () => own.about.python))
  own.root = h('figure', { class: 'card map', 'data-method': name }, h('figcaption', {}, h('h2', { title: method.summary }, method.title), frame.out), frame.box, scale, notes, verdict, actions)
  Object.assign(own, { save, actions })
  cards.set(name, own)
  return own
}

function seen(picture) {
  parts.photo.alt = picture.name
  parts.photo.width = picture.width
  parts.photo.height = picture.height
  parts.grid.style.setProperty('--shape', `${picture.width} / ${picture.height}`)
  parts.picture.querySelector('h2').textContent = picture.name
}

function bars(rows) {
  parts.bars.replaceChildren(...rows.map(row => {
    const share = row.probability, bar = h('i', { 'aria-hidden': 'true' })
    if (share !== undefined) bar.style.width = `${share * 100}%`
    const pressed = state.class === row.word
    return h('li', {}, h('button', { type: 'button', 'aria-pressed': String(pressed), onclick: () => choose({ class: pressed ? '' : row.word }) },
      h('span', {}, row.name), h('b', {}, share === undefined ? number(row.value) : percent(share)), bar))
  }))
}

async function drawn(found) {
  const own = cards.get(found.method)
  if (!own) return
  own.about = found
  own.image.src = found.file
  own.root.classList.remove('stale', 'failed')
  own.root.removeAttribute('aria-busy')
  own.save.href = `${found.file}?save`
  own.image.alt = `${found.title} map for ${found.label}`
  own.scale.replaceChildren(h('b', {}, found.label), ` strongest ${number(found.largest)} (${found.unit})`)
  own.notes.replaceChildren(...found.notes.filter(note => !note.includes('top prediction')).map(note => h('span', {}, note)))
  await pointer.load(own.frame, found.values, found.grid)
}

function failed({ method, text }) {
  const own = cards.get(method)
  own.root.classList.add('failed')
  own.root.removeAttribute('aria-busy')
  own.image.removeAttribute('src')
  own.scale.replaceChildren()
  own.notes.replaceChildren(h('span', { class: 'warn' }, text))
}

const mark = (good, text, title) => h('span', { class: good ? 'good' : 'bad', title }, h('span', { 'aria-hidden': 'true' }, good ? '✓ ' : '✗ '), text)

function areas({ method, deletion, insertion, beats, floors }) {
  const floor = at => floors.map(one => number(one[at])).join(' and ')
  cards.get(method)?.verdict.replaceChildren(
    mark(beats[0], `deletion ${deletion.toFixed(2)}`, `less is better; maps that know nothing have ${floor(0)}`),
    mark(beats[1], `insertion ${insertion.toFixed(2)}`, `more is better; maps that know nothing have ${floor(1)}`))
}

function sanity({ method, passed, likeness, trouble }) {
  cards.get(method)?.verdict.append(passed === null ? h('span', { class: 'soft', title: trouble }, 'sanity not checked')
    : mark(passed, `sanity ${likeness.toFixed(2)}`, 'how alike the map stays once the last block has lost its weights; from 0.8 on it shows the picture, not what was learnt'))
}

function unjudged({ method, text }) { cards.get(method)?.verdict.append(h('span', { class: 'soft' }, text)) }

function legend() {
  return h('details', { class: 'legend' }, h('summary', {}, 'What the marks mean'), h('p', {},
    'Deletion: how long the class survives when the pixels that a map ranks highest are blurred first; less is better. Insertion: how soon it is found when they are shown first; more is better. A tick means better than a random map and than a hill in the middle. Sanity: how alike the map stays once the last block has lost its weights; a tick means below 0.8.'))
}
