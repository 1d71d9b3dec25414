// Play: dreams and paintings, frame by frame.
import { choose, classField, copier, h, number, slider, stream } from './dom.js'
import { learnLayers } from './look.js'

let about, parts, close, layers = [], state = {}

export function mount(root, given) {
  about = given
  const kinds = h('fieldset', { class: 'kinds' }, h('legend', {}, 'What'), ['dream', 'style'].map(kind =>
    h('label', {}, h('input', { type: 'radio', name: 'kind', value: kind, onchange: () => choose({ play: kind }) }), kind === 'dream' ? ' Dream' : ' Paint')))
  const layer = slider('Layer', { min: 0, max: 0, step: 1, value: 0, text: at => layers[at - 1]?.name ?? 'the usual one', change: at => choose({ dreamt: layers[at - 1]?.name ?? '', class: '' }) })
  const query = classField('Class', 'none: a layer', value => choose({ class: value, dreamt: '', guide: '' }))
  const guide = pick('Guide', [['', 'none'], ...about.pictures.map(one => [one.id, one.name])], value => choose({ guide: value, class: '' }))
  const octaves = slider('Sizes', { min: 1, max: 6, step: 1, value: 4, change: value => choose({ octaves: value === '4' ? '' : value }) })
  const steps = slider('Steps', { min: 2, max: 200, step: 2, value: 24, change: value => choose({ steps: value }) })
  const manner = pick('In the manner of', about.styles.map(one => [one.id, one.name]), value => choose({ style: value }))
  const color = h('label', { class: 'check' }, h('input', { type: 'checkbox', onchange: event => choose({ color: event.target.checked ? '1' : '' }) }), ' Keep the colours')
  const begin = h('button', { type: 'button', class: 'main', onclick: toggle }, 'Begin')
  const image = h('img', { alt: '' }), said = h('p', { class: 'soft' }), actions = h('div', { class: 'actions' })
  root.append(h('form', { class: 'controls', onsubmit: event => event.preventDefault() }, kinds, layer.field, query.field, guide.field, octaves.field, manner.field, color, steps.field, begin),
    h('figure', { class: 'card stage' }, h('div', { class: 'frame' }, image), said, actions))
  parts = { kinds, layer, query, guide, octaves, steps, manner, color, begin, image, said, actions }
}

function pick(name, options, change) {
  const select = h('select', { 'aria-label': name, onchange: event => change(event.target.value) }, options.map(([value, text]) => h('option', { value }, text)))
  return { field: h('label', { class: 'field' }, h('span', {}, name), select), select }
}

export function show(now) {
  const kind = now.play ?? 'dream', before = key(state)
  state = now
  for (const input of parts.kinds.querySelectorAll('input')) input.checked = input.value === kind
  for (const one of [parts.layer, parts.query, parts.guide, parts.octaves]) one.field.hidden = kind !== 'dream'
  parts.manner.field.hidden = parts.color.hidden = kind === 'dream'
  parts.query.input.value = now.class ?? ''
  parts.guide.select.value = now.guide ?? ''
  parts.manner.select.value = now.style ?? about.styles[0].id
  parts.color.firstChild.checked = !!now.color
  parts.octaves.set(now.octaves ?? 4)
  parts.steps.set(now.steps ?? (kind === 'dream' ? 24 : 90))
  learnLayers(found => {
    layers = found
    parts.layer.range.max = layers.length
    parts.layer.set(layers.findIndex(layer => layer.name === now.dreamt) + 1)
  })
  if (before === key(now)) return
  stop()
  parts.image.src = `/picture/${now.picture}/1600`
  parts.image.alt = 'The picture'
  delete parts.image.dataset.done
  parts.said.textContent = kind === 'dream' ? 'The network changes the picture so that it sees more of what it sees in it.' : 'The picture is painted in the manner of another.'
  parts.actions.replaceChildren()
}

const key = one => ['picture', 'play', 'dreamt', 'class', 'guide', 'octaves', 'steps', 'style', 'color'].map(name => one[name]).join()

export function leave() { stop() }

function stop() {
  close?.()
  close = null
  parts.begin.textContent = 'Begin'
}

function toggle() {
  if (close) return stop()
  const kind = state.play ?? 'dream'
  parts.begin.textContent = 'Stop'
  const asked = kind === 'dream' ? { layer: state.dreamt, class: state.class, guide: state.guide, octaves: state.octaves } : { style: parts.manner.select.value, color: state.color }
  let frames = 0
  close = stream(kind, { picture: state.picture, steps: state.steps, ...asked }, {
    frame: ({ step, score, src }) => {
      parts.image.src = src
      parts.image.dataset.frames = ++frames
      parts.said.textContent = `step ${step}, the objective ${number(score)}`
    },
    file: found => {
      parts.image.src = found.file
      parts.image.dataset.done = 'true'
      parts.said.textContent = found.name
      parts.actions.replaceChildren(h('a', { class: 'small button', href: `${found.file}?save`, download: '' }, 'Save PNG'), copier('Copy the command', () => found.command))
    },
    end: () => { close = null; parts.begin.textContent = 'Begin' },
  })
}
