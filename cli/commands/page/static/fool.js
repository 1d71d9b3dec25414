// Fool: a slider of sizes, each attacked once; clean, change, attacked, and where the network looks.
import { choose, classField, copier, h, number, percent, slider, stream } from './dom.js'
import { Pointer } from './pointer.js'

let about, parts, close = () => {}, last = '', state = {}, known = new Map(), maps = new Map(), least = null, shownLevel
const pointer = new Pointer()
const NAMES = { clean: 'Clean', change: 'The change', attacked: 'Attacked', before: 'Grad-CAM before', after: 'Grad-CAM after' }

export function mount(root, given) {
  about = given
  const attack = h('select', { 'aria-label': 'Attack', onchange: event => choose({ attack: event.target.value }) }, about.attacks.map(one => h('option', { value: one.name }, one.title.split(' (')[0])))
  const target = classField('Target', 'anything else', value => choose({ target: value }))
  const size = slider('Size of the change', { min: 0, max: about.levels.length - 1, step: 1, value: 4, text: at => `${about.levels[at]}/255`, input: at => move(about.levels[at]), change: at => choose({ level: about.levels[at] }) })
  const marks = h('ol', { class: 'levels', 'aria-label': 'What is known of each size' }, about.levels.map(level => h('li', { 'data-level': level }, h('span', {}, level))))
  const said = h('p', { class: 'said', role: 'status' }), from = h('p', { class: 'least' })
  const actions = h('div', { class: 'actions' })
  const figures = Object.entries(NAMES).map(([name, title]) => {
    const image = h('img', { alt: title }), frame = pointer.frame(image, title), note = h('p', { class: 'scale' })
    return [name, { image, frame, note, root: h('figure', { class: 'card', 'data-part': name }, h('figcaption', {}, h('h2', {}, title), frame.out), frame.box, note) }]
  })
  parts = { attack, target, size, marks, said, from, actions, figures: Object.fromEntries(figures) }
  root.append(h('form', { class: 'controls', onsubmit: event => event.preventDefault() }, h('label', { class: 'field' }, h('span', {}, 'Attack'), attack), target.field, h('div', { class: 'sized' }, size.field, marks)),
    h('div', { class: 'outcome' }, from, said, actions), h('div', { class: 'maps five' }, figures.map(([, one]) => one.root)))
}

export function show(now) {
  state = now
  const level = Number(now.level ?? 1), key = [now.picture, now.attack, now.target].join()
  parts.attack.value = now.attack ?? 'pgd'
  parts.target.input.value = now.target ?? ''
  parts.size.set(Math.max(0, about.levels.indexOf(level)))
  if (key !== last) {
    last = key
    known = new Map(); maps = new Map(); least = null; shownLevel = undefined
    parts.figures.clean.image.src = `/picture/${now.picture}/1600`
    for (const name of ['change', 'attacked', 'before', 'after']) { parts.figures[name].image.removeAttribute('src'); parts.figures[name].note.textContent = '' }
    parts.from.textContent = parts.said.textContent = ''
    parts.actions.replaceChildren()
    mark()
  }
  ask(level)
}

export function leave() { close(); close = () => {}; last = '' }

// What is known is shown at once; what is not is asked for when the slider rests.
function move(level) { if (known.has(level)) draw(level) }

function ask(level) {
  if (known.has(level) && maps.has(level)) return draw(level)
  close()
  for (const one of Object.values(parts.figures)) one.root.setAttribute('aria-busy', 'true')
  close = stream('fool', { picture: state.picture, attack: state.attack, target: state.target, level }, {
    level: row => { known.set(row.level, row); mark(); if (row.level === level) draw(level) },
    map: found => { maps.set(level, { ...maps.get(level), [found.when]: found }); if (Number(state.level ?? 1) === level) link(level) },
    least: found => { least = found; tellLeast() },
    end: () => { for (const one of Object.values(parts.figures)) one.root.removeAttribute('aria-busy') },
  })
}

function mark() {
  for (const item of parts.marks.children) {
    const row = known.get(Number(item.dataset.level))
    item.className = row ? (row.success ? 'fools' : 'holds') : ''
    item.title = row ? row.sentence : 'not attacked yet'
  }
}

function tellLeast() {
  if (!least) return
  parts.from.textContent = least.level === null ? `Not fooled up to ${least.most}/255.` : `Fools from ${least.level}/255.`
}

function draw(level) {
  const row = known.get(level), { clean, change, attacked } = parts.figures
  if (shownLevel !== level) {
    attacked.image.src = row.file
    change.image.src = row.change
  }
  shownLevel = level
  clean.note.replaceChildren(h('b', {}, row.before_name), ` ${percent(row.before_probability)}`)
  attacked.note.replaceChildren(h('b', {}, row.after_name), ` ${percent(row.after_probability)}`)
  change.note.textContent = row.times ? `magnified ${Math.round(row.times)} times; at most ${number(row.levels)} of 255 levels` : 'none'
  parts.said.textContent = row.sentence + (row.name ? '' : '. No 8-bit file can hold so small a change; it is judged as numbers.')
  parts.said.className = `said ${row.success ? 'good' : 'soft'}`
  parts.actions.replaceChildren(...(row.name ? [h('a', { class: 'small button', href: `${row.file}?save`, download: '' }, 'Save PNG'), copier('Copy the command', () => row.command)] : []), copier('Copy the Python', () => row.python))
  tellLeast()
  link(level)
}

function link(level) {
  for (const [when, found] of Object.entries(maps.get(level) ?? {})) {
    const own = parts.figures[when]
    own.image.src = found.file
    own.note.replaceChildren(h('b', {}, found.label), ` strongest ${number(found.largest)}`)
    pointer.load(own.frame, found.values, found.grid)
  }
}
