// Charts of two years that can be looked at closer, with buttons or by dragging. The drawing of the last three weeks stays for paper,
// and for browsers without script; uPlot and the days are fetched when somebody opens the first chart.
const words = document.getElementById('zoom-words').dataset
const lang = document.documentElement.lang
const day = 86400
const least = 14 * day
const yAxis = 58 // px
const open = new Map() // by id: { data, plot, from, to }
let loading

function load() {
  return loading ||= new Promise((done, fail) => {
    const style = Object.assign(document.createElement('link'), { rel: 'stylesheet', href: words.css })
    const script = Object.assign(document.createElement('script'), { src: words.plot, onload: done })
    script.onerror = () => { loading = undefined; fail(new Error('uplot')) }
    document.head.append(style, script)
  })
}

const color = name => getComputedStyle(document.documentElement).getPropertyValue(name).trim()
const number = new Intl.NumberFormat(lang, { maximumFractionDigits: 1 })
const date = (t, year) => new Date(t * 1000).toLocaleDateString(lang, { timeZone: 'UTC', day: 'numeric', month: 'short', ...(year && { year: 'numeric' }) })

// label is a day under the chart, with its year on a long one; none where it would not end within it.
function label(t, from, to, width) {
  const long = to - from > 300 * day, half = long ? 48 : 30
  return (to - t) / (to - from) * width < half ? '' : date(t, long)
}

async function show(box) {
  const part = box.querySelector('[data-part]'), said = box.querySelector('[data-range]')
  part.hidden = false
  let state = open.get(box.id)
  try {
    if (!state) {
      const [answer] = await Promise.all([fetch(box.dataset.src, { credentials: 'same-origin' }), load()])
      if (!answer.ok) throw new Error(answer.status)
      const { from, lines } = await answer.json()
      const days = lines[0].map((_, i) => from + i * day)
      state = { data: [days, ...lines], from: Math.max(days[0], days.at(-1) - 90 * day) - day, to: days.at(-1) + day }
      open.set(box.id, state)
    }
  } catch {
    said.textContent = words.lost
    return
  }
  draw(box, state)
}

function draw(box, state) {
  const at = box.querySelector('[data-plot]')
  state.plot?.destroy()
  at.replaceChildren()
  const axis = { stroke: color('--soft'), font: '15px sans-serif', grid: { stroke: color('--line'), width: 1 }, ticks: { show: false } }
  const line = { stroke: color('--deep'), width: 2.5, spanGaps: true, points: { show: u => u.scales.x.max - u.scales.x.min < 120 * day, size: 7, fill: color('--raised') } }
  state.plot = new uPlot({
    width: at.clientWidth, height: 260, legend: { show: false }, tzDate: t => uPlot.tzDate(new Date(t * 1000), 'UTC'),
    cursor: { drag: { x: true, y: false, setScale: false }, y: false },
    scales: { x: { time: true, min: state.from, max: state.to, range: (u, min, max) => [min, max] } },
    series: [{}, ...state.data.slice(1).map(() => line)],
    axes: [
      { ...axis, space: 70, values: (u, ticks) => ticks.map(t => label(t, u.scales.x.min, u.scales.x.max, at.clientWidth - yAxis)) },
      { ...axis, size: yAxis, values: (u, ticks) => ticks.map(v => number.format(v)) },
    ],
    hooks: { setSelect: [u => {
      if (u.select.width < 8) return
      range(box, state, u.posToVal(u.select.left, 'x'), u.posToVal(u.select.left + u.select.width, 'x'))
      u.setSelect({ width: 0, height: 0 }, false)
    }] },
  }, state.data, at)
  range(box, state, state.from, state.to)
}

// range shows the days between two instants, two weeks at least, none that are not there.
function range(box, state, from, to) {
  const days = state.data[0], first = days[0] - day, last = days.at(-1) + day
  const wide = Math.min(Math.max(to - from, least), last - first)
  from = Math.min(Math.max((from + to - wide) / 2, first), last - wide)
  Object.assign(state, { from, to: from + wide })
  state.plot.setScale('x', { min: state.from, max: state.to })
  const text = words.range.replace('{from}', date(Math.max(state.from, days[0]), true)).replace('{to}', date(Math.min(state.to, days.at(-1)), true))
  box.querySelector('[data-range]').textContent = text
  box.querySelector('[data-plot]').setAttribute('aria-label', `${box.dataset.name}, ${box.dataset.unit}. ${text}. ${spread(state)}`)
  for (const [name, off] of [['in', wide <= least], ['out', wide >= last - first], ['all', wide >= last - first], ['earlier', state.from <= first], ['later', state.to >= last]])
    box.querySelector(`[data-do=${name}]`).setAttribute('aria-disabled', off)
}

// spread says from where to where the values shown go, for those who do not see them.
function spread(state) {
  const seen = state.data.slice(1).flatMap(line => line.filter((v, i) => v != null && state.data[0][i] >= state.from && state.data[0][i] <= state.to))
  return seen.length ? words.from.replace('{least}', number.format(Math.min(...seen))).replace('{most}', number.format(Math.max(...seen))) : ''
}

function act(box, what) {
  const state = open.get(box.id)
  if (what === 'open') {
    const button = box.querySelector('[data-do=open]'), was = button.getAttribute('aria-expanded') === 'true'
    button.setAttribute('aria-expanded', !was)
    if (state) state.shut = was
    if (was) box.querySelector('[data-part]').hidden = true
    else show(box)
    return
  }
  if (!state?.plot) return
  const { from, to } = state, wide = to - from
  if (what === 'in') range(box, state, from + wide / 4, to - wide / 4)
  if (what === 'out') range(box, state, from - wide / 2, to + wide / 2)
  if (what === 'earlier') range(box, state, from - wide / 2, to - wide / 2)
  if (what === 'later') range(box, state, from + wide / 2, to + wide / 2)
  if (what === 'all') range(box, state, state.data[0][0] - day, state.data[0].at(-1) + day)
}

document.addEventListener('click', e => {
  const button = e.target.closest('.zoom [data-do]')
  if (button && button.getAttribute('aria-disabled') !== 'true') act(button.closest('.zoom'), button.dataset.do)
})

function ready() {
  for (const box of document.querySelectorAll('.zoom')) {
    box.hidden = false
    if (open.has(box.id) && !open.get(box.id).shut) act(box, 'open') // the page was put anew
  }
}

const again = () => { for (const [id, state] of open) { const box = document.getElementById(id); if (box && !box.querySelector('[data-part]').hidden) draw(box, state) } }
let waiting
addEventListener('resize', () => { clearTimeout(waiting); waiting = setTimeout(again, 150) })
matchMedia('(prefers-color-scheme: dark)').addEventListener('change', again)
document.addEventListener('fresh', ready)
ready()
