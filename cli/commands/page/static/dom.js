// Small helpers: elements, the state in the address, streams of events, copying.

export function h(tag, attributes = {}, ...children) {
  const made = document.createElement(tag)
  for (const [name, value] of Object.entries(attributes)) {
    if (name.startsWith('on')) made.addEventListener(name.slice(2), value)
    else if (name === 'class') made.className = value
    else if (name in made && typeof value !== 'string') made[name] = value
    else if (value !== null && value !== undefined) made.setAttribute(name, value)
  }
  made.append(...children.flat().filter(child => child !== null && child !== undefined))
  return made
}

export const find = id => document.getElementById(id)

// The state of the page is its address, behind the #.
let listeners = []
export const chosen = () => Object.fromEntries(new URLSearchParams(location.hash.slice(1)))
export const onChoice = listener => listeners.push(listener)
export function choose(changes, { quietly = false } = {}) {
  const state = new URLSearchParams(location.hash.slice(1))
  for (const [key, value] of Object.entries(changes)) value === '' || value === null ? state.delete(key) : state.set(key, value)
  const address = '#' + state
  if (address === location.hash) return
  quietly ? history.replaceState(null, '', address) : history.pushState(null, '', address)
  tell()
}
export const tell = () => listeners.forEach(listener => listener(chosen()))
addEventListener('popstate', tell)

export const say = text => { find('status').textContent = text }

// Work of the server as a stream of events; the returned function ends it, on the server too.
export function stream(kind, parameters, on) {
  const given = Object.entries(parameters).filter(([, value]) => value !== undefined && value !== '')
  const source = new EventSource(`/work/${kind}?${new URLSearchParams(given)}`)
  const close = () => { source.close(); say('') }
  const told = {
    place: place => say(place ? `${place} before this in the line` : ''),
    progress: ({ what, done, total }) => say(`${what}: ${done} of ${total}`),
    ...on,
  }
  for (const [name, handle] of Object.entries(told)) {
    source.addEventListener(name, event => handle(JSON.parse(event.data)))
  }
  source.addEventListener('done', () => { close(); on.end?.() })
  source.addEventListener('stopped', close)
  source.addEventListener('trouble', event => { close(); complain(JSON.parse(event.data)); on.end?.() })
  source.onerror = () => { if (source.readyState !== EventSource.OPEN) { close(); complain('no answer; is interp app still running?'); on.end?.() } }
  return close
}

export function complain(text) {
  const status = find('status')
  status.replaceChildren(h('span', { class: 'warn' }, text))
}

export function copier(name, text) {
  const button = h('button', { type: 'button', class: 'small', onclick: copy }, name)
  async function copy() {
    try { await navigator.clipboard.writeText(text()) } catch { return complain('the browser did not allow it') }
    button.textContent = 'Copied'
    setTimeout(() => { button.textContent = name }, 1200)
  }
  return button
}

export const percent = share => share >= 0.0995 ? `${Math.round(share * 100)} %` : `${(share * 100).toFixed(1)} %`
export const number = value => String(Number(Number(value).toPrecision(3)))

export function slider(name, { min, max, step, value, text = String, input, change }) {
  const told = h('output', {}, text(value))
  const range = h('input', { type: 'range', min, max, step, value, 'aria-label': name, 'aria-valuetext': text(value) })
  const show = () => { told.textContent = text(range.value); range.setAttribute('aria-valuetext', told.textContent) }
  range.addEventListener('input', () => { show(); input?.(range.value) })
  range.addEventListener('change', () => change?.(range.value))
  const field = h('label', { class: 'field' }, h('span', {}, name, ' ', told), range)
  return { field, range, set: now => { range.value = now; show() } }
}

export function later(run, wait = 140) {
  let timer
  return (...given) => { clearTimeout(timer); timer = setTimeout(() => run(...given), wait) }
}

export function classField(name, hint, change) {
  const input = h('input', { list: 'classes', placeholder: hint, 'aria-label': name, autocomplete: 'off', spellcheck: false })
  input.addEventListener('change', () => change(input.value.trim()))
  return { field: h('label', { class: 'field' }, h('span', {}, name), input), input }
}
