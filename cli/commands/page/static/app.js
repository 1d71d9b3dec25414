// The frame of the page: its tabs, the strip of pictures, dropping, the report.
import { chosen, choose, complain, find, h, onChoice, say, stream, tell } from './dom.js'
import * as look from './look.js'
import * as units from './units.js'
import * as fool from './fool.js'
import * as play from './play.js'

const tabs = { look, units, fool, play }
let about, shown

async function start() {
  about = await (await fetch('/about')).json()
  find('model').textContent = about.model
  document.title = `interp: ${about.model}`
  find('classes').append(...about.labels.map(name => h('option', { value: name })))
  find('pictures').append(...about.pictures.map(thumbnail))
  for (const [name, tab] of Object.entries(tabs)) tab.mount(find(name), about)
  onChoice(show)
  show(chosen())
}

function thumbnail({ id, name }) {
  const image = h('img', { src: `/picture/${id}/160`, alt: '', loading: 'lazy', decoding: 'async' })
  const button = h('button', { type: 'button', title: name, 'aria-label': name, onclick: () => choose({ picture: id, place: '', unit: '' }) }, image)
  button.dataset.id = id
  return h('li', {}, button)
}

function show(state) {
  const tab = tabs[state.tab] ? state.tab : 'look'
  const picture = state.picture ?? about.pictures[0]?.id
  for (const name of Object.keys(tabs)) {
    const link = find(`tab-${name}`)
    link.setAttribute('aria-selected', String(name === tab))
    link.tabIndex = name === tab ? 0 : -1
    link.href = '#' + new URLSearchParams({ ...state, tab: name })
    find(name).hidden = name !== tab
  }
  for (const button of find('pictures').querySelectorAll('button')) {
    const current = button.dataset.id === picture
    button.setAttribute('aria-pressed', String(current))
    if (current && shown !== picture) button.scrollIntoView({ block: 'nearest', inline: 'center' })
  }
  shown = picture
  for (const [name, other] of Object.entries(tabs)) if (name !== tab) other.leave?.()
  tabs[tab].show({ ...state, picture })
}

find('tabs').addEventListener('keydown', event => {
  const step = { ArrowLeft: -1, ArrowRight: 1 }[event.key]
  if (!step) return
  const names = Object.keys(tabs), now = names.indexOf(chosen().tab ?? 'look')
  const next = names[(now + step + names.length) % names.length]
  choose({ tab: next })
  find(`tab-${next}`).focus()
})
find('tabs').addEventListener('click', event => {
  const link = event.target.closest('a')
  if (!link) return
  event.preventDefault()
  choose({ tab: link.id.slice(4) })
})

async function drop(file) {
  say(`reading ${file.name}`)
  const answer = await fetch('/drop', { method: 'POST', body: file, headers: { 'x-name': encodeURIComponent(file.name) } })
  if (!answer.ok) return complain(await answer.text())
  const picture = await answer.json()
  say('')
  find('pictures').querySelector(`[data-id="${picture.id}"]`)?.closest('li').remove()
  find('pictures').prepend(thumbnail(picture))
  choose({ picture: picture.id, place: '', unit: '', class: '' })
}

find('file').addEventListener('change', event => { if (event.target.files[0]) drop(event.target.files[0]); event.target.value = '' })
addEventListener('dragover', event => { event.preventDefault(); document.body.classList.add('over') })
addEventListener('dragleave', event => { if (!event.relatedTarget) document.body.classList.remove('over') })
addEventListener('drop', event => {
  event.preventDefault()
  document.body.classList.remove('over')
  if (event.dataTransfer.files[0]) drop(event.dataTransfer.files[0])
})

find('link').addEventListener('click', async () => {
  try { await navigator.clipboard.writeText(location.href) } catch { return complain('the browser did not allow it') }
  say('The link is copied.')
})
find('report').addEventListener('click', () => {
  const state = chosen(), button = find('report')
  button.disabled = true
  stream('report', { picture: shown, methods: state.methods, class: state.class }, {
    file: ({ file }) => h('a', { href: `${file}?save`, download: '' }).click(),
    end: () => { button.disabled = false },
  })
})

start().catch(error => complain(String(error)))
