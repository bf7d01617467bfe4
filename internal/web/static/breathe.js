// The pacer, and the heart beside it. Beats come from a strap by Web Bluetooth (heart rate service, RR intervals), or from a device
// whose beats the server has already. While the pacer runs they are sent every five seconds, in numbered batches that are kept
// until the server has them; its answers are the figures. All words stand in the page: this only shows them.
const root = document.getElementById('breathe')
const $ = id => document.getElementById(id)
const words = $('breathe-words').dataset
const EVERY = 5000, GAP = 3000, MOST = 300, LONGEST = 29 * 60000, TRY = 122, KEPT = 64000

const show = (id, on) => { $(id).hidden = !on }
const state = (name, on) => { const p = root.querySelector(`[data-state="${name}"]`); if (p.hidden === on) p.hidden = !on }

let pace = +root.dataset.pace
let left = JSON.parse(root.dataset.left)
let source = ''        // where beats come from: '', 'breathe' (a strap here), or a device's id
let running = false, finding = false, leaving = false
let since = 0          // when the pacer was started
let rec = null         // what is being recorded
let recs = []          // recordings that are not wholly with the server
let wake = null
const able = 'bluetooth' in navigator || !!root.dataset.device // of seeing a heart

/* The pacer */

const still = matchMedia('(prefers-reduced-motion: reduce)')
const lung = root.querySelector('.lung')
let said = ''

function breathe() {
  if (!running) return
  const whole = 60 / pace, into = whole * root.dataset.in
  const at = ((performance.now() - since) / 1000) % whole
  const inward = at < into
  const part = inward ? at / into : (at - into) / (whole - into)
  const full = (1 - Math.cos(Math.PI * part)) / 2
  lung.setAttribute('r', still.matches ? 90 : 72 + 38 * (inward ? full : 1 - full))
  const text = (inward ? words.in : words.out) + Math.ceil(inward ? into - at : whole - at)
  if (text !== said) {
    said = text
    $('pacer-do').textContent = inward ? words.in : words.out
    $('pacer-count').textContent = Math.ceil(inward ? into - at : whole - at)
    const s = Math.floor((performance.now() - since) / 1000)
    $('time').textContent = Math.floor(s / 60) + ':' + String(s % 60).padStart(2, '0')
  }
  if (still.matches) setTimeout(breathe, 200)
  else requestAnimationFrame(breathe)
}

async function start() {
  running = true
  since = performance.now()
  show('start', false); show('stop', true); show('time', true); show('paces', false); show('finder', false)
  $('stop').focus()
  if (source) rec = new Recording()
  breathe()
  try { wake = await navigator.wakeLock?.request('screen') } catch { /* the screen may go dark */ }
}

async function stop() {
  running = finding = false
  said = ''
  wake?.release()
  wake = null
  $('pacer-do').textContent = words.ready
  $('pacer-count').textContent = ''
  lung.setAttribute('r', 72)
  show('start', true); show('stop', false); show('time', false); show('paces', true); show('finder', able)
  state('trying', false)
  rec?.finish()
  rec = null
  if (recs.length) {
    leaving = true
    state('saving', true)
    show('start', false)
    await flush()
  }
}

/* What is sent */

class Recording {
  constructor() {
    Object.assign(this, { pace, finding, source, id: crypto.randomUUID?.() ?? Array.from(crypto.getRandomValues(new Uint32Array(4)), x => x.toString(36)).join('-'),
      began: performance.now(), clock: 0, fresh: [], queue: [], batches: 0, done: false, heard: 0 })
    recs.push(this)
  }

  // beats takes intervals in ms, the last of which ended now. A gap in what comes is a gap in time; beats never overlap.
  beats(list) {
    const sum = list.reduce((a, b) => a + b, 0), behind = performance.now() - this.began - sum - this.clock
    if (behind > GAP) { this.cut(); this.clock += behind }
    for (const ms of list) {
      this.fresh.push(ms)
      this.clock += ms
      if (this.fresh.length >= MOST) this.cut()
    }
    if (this.finding && !this.done && this.clock > TRY * 1000) nextPace()
  }

  cut() {
    if (this.fresh.length || this.source !== 'breathe' && !this.queue.length) {
      this.queue.push({ session: this.id, batch: this.batches++, pace: this.pace, finding: this.finding, source: this.source, rr: this.fresh, ends_ms: this.clock })
    }
    this.fresh = []
  }

  finish() {
    if (this.done) return
    if (this.source === 'breathe' || !this.batches) this.cut()
    this.done = true
    if (!this.batches) this.drop()
  }

  drop() { recs = recs.filter(r => r !== this) }

  // send answers whether everything is with the server.
  async send() {
    while (this.queue.length) {
      const batch = this.queue[0]
      const answer = await post('/breathe/beats', { ...batch, ago_ms: Math.round(performance.now() - this.began) })
      if (!answer) return false
      if (answer.ok || answer.next > batch.batch) this.queue.shift()
      else { this.refused(); return true }
      if (answer.ok && this === rec) figures(answer)
    }
    if (!this.done) return true
    const answer = await post('/breathe/end', { session: this.id, batches: this.batches })
    if (!answer) return false
    if (!answer.ok) this.refused()
    this.drop()
    return true
  }

  refused() {
    state('refused', true)
    this.drop()
    if (rec === this) rec = null
  }
}

// post answers what the server said; nothing when it could not be asked, or cannot answer now.
async function post(path, body) {
  try {
    const answer = await fetch(root.dataset.base + path, { method: 'POST', headers: { 'Content-Type': 'application/json' }, body: JSON.stringify(body), credentials: 'same-origin' })
    state('signin', answer.status === 403)
    if (answer.status >= 500 || answer.status === 403 || answer.status === 429) { state('unsent', answer.status !== 403); return }
    state('unsent', false)
    return { ok: answer.ok, ...await answer.json() }
  } catch { state('unsent', true) }
}

let sending = false
async function flush() {
  if (sending) return
  sending = true
  try {
    if (rec) rec.cut()
    for (const r of [...recs]) if (!await r.send()) return
  } finally { sending = false }
  if (leaving && !recs.length && root.querySelector('[data-state="refused"]').hidden) {
    leaving = false
    removeEventListener('beforeunload', warn)
    location.assign(root.dataset.base + '/breathe?done=breathe')
  } else if (leaving && !recs.length) {
    leaving = false
    state('saving', false)
    show('start', true)
  }
}

function warn(e) { if (recs.length) e.preventDefault() }
addEventListener('beforeunload', warn)

setInterval(() => {
  if (running && performance.now() - since > LONGEST) { state('long', true); stop(); return }
  flush()
}, EVERY)

/* What is shown */

let recent = [] // intervals of the last minute

function figures(a) {
  show('heart', true)
  show('coherence', true)
  $('feels').textContent = a.say
  $('score').textContent = a.ready ? a.score : '–'
  $('meter').value = a.ready ? a.score : 0
  show('meter', a.ready)
  if (!a.rr) return
  state('quiet', running && a.seconds === rec.heard) // the device tells nothing new
  rec.heard = a.seconds
  recent = a.rr
  if (recent.length) bpm(Math.round(60000 * Math.min(5, recent.length) / recent.slice(-5).reduce((x, y) => x + y, 0)))
  tachogram()
  if (rec.finding && a.seconds > TRY) nextPace()
}

function bpm(n) { show('heart', true); $('bpm').textContent = n }

function tachogram() {
  if (recent.length < 3) return
  const rates = recent.map(ms => 60000 / ms)
  const low = Math.min(...rates) - 1, high = Math.max(...rates) + 1
  const total = recent.reduce((a, b) => a + b, 0)
  let t = 0, d = ''
  recent.forEach((ms, i) => {
    t += ms
    d += `${i ? 'L' : 'M'}${(40 + 316 * t / total).toFixed(1)} ${(112 - 104 * (rates[i] - low) / (high - low)).toFixed(1)}`
  })
  document.querySelector('#tachogram path').setAttribute('d', d)
  $('tach-high').textContent = Math.round(high)
  $('tach-low').textContent = Math.round(low)
}

/* A strap or watch */

let strap = null, without = 0

function measured(e) {
  const v = e.target.value, flags = v.getUint8(0)
  const wide = flags & 1
  let at = wide ? 3 : 2
  const rate = wide ? v.getUint16(1, true) : v.getUint8(1)
  if (flags & 8) at += 2
  const list = []
  if (flags & 16) for (; at + 1 < v.byteLength; at += 2) { const ms = v.getUint16(at, true) * 1000 / 1024; if (ms >= 1) list.push(ms) }
  const off = (flags & 4) && !(flags & 2)
  state('skin', !!off)
  if (off) { $('bpm').textContent = '–'; return }
  if (rate) bpm(rate)
  without = list.length ? 0 : without + (rate ? 1 : 0)
  state('norr', without >= 10)
  if (!list.length) return
  recent.push(...list)
  let sum = 0, from = recent.length
  while (from > 0 && sum < KEPT) sum += recent[--from]
  recent = recent.slice(from)
  tachogram()
  rec?.beats(list)
}

async function listen() {
  const service = await (await strap.gatt.connect()).getPrimaryService(0x180d)
  const characteristic = await service.getCharacteristic(0x2a37)
  characteristic.addEventListener('characteristicvaluechanged', measured)
  await characteristic.startNotifications()
  source = 'breathe'
  without = 0
  for (const name of ['connecting', 'lost', 'failed']) state(name, false)
  state('connected', true)
  show('heart', true)
  ready()
}

// ready is when beats come: what is running is recorded from here on.
function ready() {
  show('find-needs', false)
  show('connect', false)
  if ($('relay')) show('relay', false)
  if (running && !rec) rec = new Recording()
}

async function connect() {
  state('failed', false)
  try {
    strap = await navigator.bluetooth.requestDevice({ filters: [{ services: [0x180d] }] })
  } catch (e) { state('failed', e.name !== 'NotFoundError'); return } // the person has closed the list
  state('connecting', true)
  strap.addEventListener('gattserverdisconnected', lost)
  try { await listen() } catch { state('connecting', false); state('failed', true) }
}

async function lost() {
  state('connected', false); state('skin', false); state('norr', false)
  state('lost', true)
  $('bpm').textContent = '–'
  for (let n = 0; n < 20 && !strap.gatt.connected; n++) {
    await new Promise(r => setTimeout(r, Math.min(1000 * (n + 1), 10000)))
    try { await listen(); return } catch { /* it is out of reach still */ }
  }
  if (!strap.gatt.connected) show('connect', true)
}

function relay() {
  source = root.dataset.device
  state('relay', true)
  ready()
}

/* The person's own pace */

function choose(value) {
  pace = value
  for (const b of root.querySelectorAll('.pick-pace')) b.setAttribute('aria-pressed', +b.dataset.pace === pace)
}

function find() {
  if (!source) { show('find-needs', true); return }
  if (!left.length) return
  finding = true
  tryPace()
  start()
}

function tryPace() {
  choose(left[0])
  const p = root.querySelector('[data-state="trying"]')
  p.textContent = words.try.replace('{pace}', String(pace).replace('.', words.decimal))
  state('trying', true)
}

// nextPace goes on with the next after two minutes of beats; after the last it is over.
function nextPace() {
  rec.finish()
  rec = null
  left = left.slice(1)
  if (!left.length) { stop(); return }
  tryPace()
  since = performance.now()
  rec = new Recording()
}

$('start').addEventListener('click', start)
$('stop').addEventListener('click', stop)
$('connect').addEventListener('click', connect)
$('relay')?.addEventListener('click', relay)
$('find').addEventListener('click', find)
for (const b of root.querySelectorAll('.pick-pace')) b.addEventListener('click', () => choose(+b.dataset.pace))
show('connect', 'bluetooth' in navigator)
show('no-bluetooth', !able)
show('finder', able)
root.hidden = false
