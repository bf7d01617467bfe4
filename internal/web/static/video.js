// A visit by video. First camera and sound are looked at; then the browser takes a seat in the room and reaches the others: each of
// them itself (with signals through the server), or all through a LiveKit server. When the picture is too poor the visit goes on
// with sound, and when that fails by telephone: the server is told, writes it down, and says who calls. Its words are shown as
// they come; ours stand in the page.
const root = document.getElementById('video')
const $ = id => document.getElementById(id)
const words = $('video-words').dataset
const show = (id, on) => { $(id).hidden = !on }
const text = (id, say) => { if ($(id).textContent !== say) $(id).textContent = say }

const LOOK = 2000         // ms between looks at what comes
const BAD = 3             // poor looks in a row before the picture goes
const MUTE = 4            // silent looks in a row before the call
const LOSS = .15          // of packets: above it speech is hard to follow beside a picture
const NARROW = 120000     // bit/s: too little for a picture and sound
const REACH = 12000       // ms to reach somebody before the way is built anew; twice that before the call

let local = new MediaStream()
let me, part, ticket, source
let room = { mode: 'video', seats: [] }
let others = new Map()    // seat to Peer
let media                 // LiveKit's room
let over = false
const off = { mic: false, camera: false }

/* Talking to the server */

async function post(what, form) {
  const answer = await fetch(root.dataset.room + '/' + what, { method: 'POST', headers: { Accept: 'application/json' }, body: new URLSearchParams(form) })
  const said = await answer.json()
  if (!answer.ok) throw new Error(said.error)
  return said
}

const signal = (to, body) => sending = sending.then(() => post('signal', { seat: me, to, body: JSON.stringify(body) })).catch(() => {})
let sending = Promise.resolve() // in order: a candidate must not come before its description

async function fall(mode, why) {
  try { stands(await post('mode', { mode, why })) } catch { /* the next look says it again */ }
}

/* The check */

function check(name) {
  for (const p of root.querySelectorAll('[data-check]')) p.hidden = p.dataset.check !== name
}

async function open(video) {
  check('asking')
  for (const t of local.getTracks()) t.stop()
  if (!navigator.mediaDevices?.getUserMedia || !window.RTCPeerConnection) { check('old'); return }
  try {
    local = await navigator.mediaDevices.getUserMedia({ audio: { echoCancellation: true, noiseSuppression: true }, video: video && { width: { ideal: 640 }, height: { ideal: 480 }, frameRate: { ideal: 24 } } })
  } catch (e) {
    check(e.name === 'NotAllowedError' || e.name === 'SecurityError' ? 'denied' : e.name === 'NotFoundError' || e.name === 'OverconstrainedError' ? 'missing' : 'busy')
    show('start', false); show('retry', true); show('sound', video)
    return
  }
  off.camera = !video
  $('mirror').srcObject = local
  show('mirror', video); show('meter-line', true); show('start', false); show('retry', false); show('sound', false); show('join', true)
  check(video ? 'good' : 'soundonly')
  meter()
  $('join').focus()
}

// meter shows that the microphone hears.
function meter() {
  const context = new AudioContext(), ear = context.createAnalyser()
  ear.fftSize = 512
  context.createMediaStreamSource(local).connect(ear)
  const wave = new Uint8Array(ear.fftSize)
  const look = () => {
    if ($('check').hidden) { context.close(); return }
    ear.getByteTimeDomainData(wave)
    $('meter').value = Math.min(100, Math.max(...wave.map(v => Math.abs(v - 128))) * 2)
    setTimeout(look, 100)
  }
  look()
}

function chime() {
  const context = new AudioContext(), now = context.currentTime
  for (const [i, pitch] of [523, 659, 784].entries()) {
    const tone = context.createOscillator(), loud = context.createGain()
    tone.frequency.value = pitch
    loud.gain.setValueAtTime(.25, now + i * .35)
    loud.gain.exponentialRampToValueAtTime(.001, now + i * .35 + .33)
    tone.connect(loud).connect(context.destination)
    tone.start(now + i * .35); tone.stop(now + i * .35 + .35)
  }
  setTimeout(() => context.close(), 1500)
  check('played')
}

/* The room */

async function join() {
  $('join').disabled = true
  let said
  try { said = await post('join', {}) } catch (e) {
    $('join').disabled = false
    root.querySelector('[data-check=refused] p').textContent = e.message
    check('refused')
    return
  }
  me = said.seat; part = said.part; ticket = said.ticket
  show('check', false); show('stage', true)
  tile(me, words.you, local, true)
  switches()
  if (ticket.kind === 'livekit') await reach()
  else for (const s of said.room.seats) if (s.id !== me) others.set(s.id, new Peer(s, true)) // who comes last asks
  listen()
  stands(said.room)
  $('room-title').tabIndex = -1
  $('room-title').focus()
  setInterval(look, LOOK)
  canCaption()
}

function listen() {
  source = new EventSource(root.dataset.room + '/stream?seat=' + me)
  source.addEventListener('room', e => stands(JSON.parse(e.data)))
  source.addEventListener('signal', e => { const s = JSON.parse(e.data); peer(s.from)?.heard(JSON.parse(s.body)) })
  source.addEventListener('gone', () => leave(words.gone))
  source.onerror = () => { if (source.readyState === EventSource.CLOSED) leave(words.gone) }
}

function peer(id) {
  if (!others.has(id) && !over && ticket.kind === 'peers') others.set(id, new Peer(room.seats.find(s => s.id === id) || { id }, false))
  return others.get(id)
}

// stands shows the room as the server tells it.
function stands(now) {
  if (over) return
  const was = room.mode
  room = now
  text('room-title', now.title)
  text('room-say', now.say)
  for (const [id, p] of others) if (!now.seats.some(s => s.id === id)) { p.close?.(); others.delete(id); $('tile-' + id)?.remove() }
  for (const s of now.seats) if (s.id !== me) name(s.id, s.label)
  if ($('recording')) show('recording', now.recording)
  show('again', now.mode !== 'video')
  show('camera', now.mode === 'video')
  if (now.over) { hangUp(); location.reload(); return }
  if (now.mode === 'phone') { hangUp(); location.href = location.pathname; return }
  if (was !== now.mode || !set) pictures()
}

let set = false
function pictures() {
  set = true
  const on = room.mode === 'video'
  for (const p of others.values()) p.picture?.(on)
  media?.localParticipant.setCameraEnabled(on && !off.camera)
  for (const v of root.querySelectorAll('.tile video')) v.hidden = !on
}

function hangUp() {
  over = true
  source?.close()
  for (const p of others.values()) p.close?.()
  others.clear()
  media?.disconnect()
  for (const t of local.getTracks()) t.stop()
}

function leave(say) {
  hangUp()
  navigator.sendBeacon(root.dataset.room + '/leave', new URLSearchParams({ seat: me }))
  text('room-title', say)
  text('room-say', '')
  $('tiles').replaceChildren()
  for (const b of root.querySelectorAll('.tools button')) b.hidden = true
}

/* Pictures on the page */

function tile(id, label, stream, own) {
  let li = $('tile-' + id)
  if (!li) {
    li = document.createElement('li')
    li.id = 'tile-' + id
    li.className = own ? 'tile own' : 'tile'
    const v = document.createElement('video')
    v.autoplay = true; v.playsInline = true; v.muted = own
    li.append(v, document.createElement('span'))
    $('tiles').append(li)
  }
  const v = li.querySelector('video')
  if (v.srcObject !== stream) v.srcObject = stream
  v.play().catch(() => {})
  if (label) name(id, label)
  return v
}

function name(id, label) {
  const li = $('tile-' + id), s = li?.querySelector('span')
  if (!s || s.textContent === label) return
  s.textContent = label
  li.querySelector('video').setAttribute('aria-label', label)
}

const label = id => room.seats.find(s => s.id === id)?.label || ''

/* Another's browser, reached without a server between. Both may ask at once: the polite one takes its question back
   (W3C WebRTC 1.0, "perfect negotiation"). */

class Peer {
  constructor(seat, asks) {
    this.id = seat.id
    this.polite = me < seat.id
    this.bad = this.silent = 0
    this.began = performance.now()
    this.early = []
    this.before = {}
    this.asks = asks
    this.stream = new MediaStream()
    this.pc = new RTCPeerConnection({ iceServers: ticket.ice || [], iceTransportPolicy: root.dataset.relay ? 'relay' : 'all', bundlePolicy: 'max-bundle' })
    this.pc.ontrack = e => { this.stream.addTrack(e.track); tile(this.id, label(this.id), this.stream, false).hidden = room.mode !== 'video' }
    this.pc.onicecandidate = e => e.candidate && signal(this.id, { candidate: e.candidate })
    this.pc.onnegotiationneeded = () => this.asks && this.ask()
    this.pc.onconnectionstatechange = () => {
      if (this.pc.connectionState === 'connected') { this.was = true; this.lost = 0; note('') }
      if (this.pc.connectionState === 'failed') this.pc.restartIce()
      if (this.pc.connectionState === 'failed' || this.pc.connectionState === 'disconnected') this.lost ||= performance.now()
    }
    this.talk = this.pc.createDataChannel('visit', { negotiated: true, id: 0 })
    this.talk.onopen = () => this.tell({ camera: !off.camera, mic: !off.mic, caption: wants })
    this.talk.onmessage = e => told(this, JSON.parse(e.data))
    for (const kind of ['audio', 'video']) {
      const track = local.getTracks().find(t => t.kind === kind)
      if (track) this.pc.addTrack(track, local)
      else if (asks) this.pc.addTransceiver(kind, { direction: 'recvonly' })
    }
  }

  async ask() {
    try {
      this.making = true
      await this.pc.setLocalDescription()
      signal(this.id, { description: this.pc.localDescription })
    } finally { this.making = false }
  }

  heard(body) { return this.hearing = (this.hearing || Promise.resolve()).then(() => this.take(body)).catch(e => console.warn('signal', e.message)) }

  async take({ description, candidate }) {
    if (description) {
      const clash = description.type === 'offer' && (this.making || this.pc.signalingState !== 'stable')
      this.deaf = !this.polite && clash
      if (this.deaf) return
      await this.pc.setRemoteDescription(description)
      if (description.type === 'offer') {
        await this.pc.setLocalDescription()
        signal(this.id, { description: this.pc.localDescription })
      }
      this.asks = true
      for (const c of this.early.splice(0)) await this.pc.addIceCandidate(c)
    } else if (candidate) {
      if (!this.pc.remoteDescription) this.early.push(candidate)
      else try { await this.pc.addIceCandidate(candidate) } catch (e) { if (!this.deaf) throw e }
    }
  }

  tell(what) { if (this.talk.readyState === 'open') this.talk.send(JSON.stringify(what)) }

  picture(on) {
    const track = local.getVideoTracks()[0]
    for (const t of this.pc.getTransceivers()) if (t.receiver.track.kind === 'video' && track) t.sender.replaceTrack(on ? track : null)
  }

  close() { this.pc.close() }

  // look reports what has come since the last look.
  async look() {
    const now = { frames: 0, lost: 0, got: 0, heard: 0, wide: Infinity }
    for (const s of (await this.pc.getStats()).values()) {
      if (s.type === 'inbound-rtp') { now.lost += s.packetsLost || 0; now.got += s.packetsReceived || 0 }
      if (s.type === 'inbound-rtp' && s.kind === 'video') now.frames = s.framesDecoded || 0
      if (s.type === 'inbound-rtp' && s.kind === 'audio') now.heard = s.packetsReceived || 0
      if (s.type === 'candidate-pair' && s.nominated && s.availableOutgoingBitrate) now.wide = s.availableOutgoingBitrate
    }
    const was = this.before
    this.before = now
    if (was.got === undefined) return null
    const got = now.got - was.got, lost = Math.max(0, now.lost - was.lost)
    return { still: now.frames === was.frames, loss: got + lost ? lost / (got + lost) : 0, silent: now.heard === was.heard, narrow: now.wide < NARROW }
  }
}

/* Looking at what comes. Only the two sides of the visit decide for it: a relative's poor line takes nothing from the others. */

const decides = id => {
  const sides = [part, room.seats.find(s => s.id === id)?.part]
  const alone = !room.seats.some(s => s.part === 'patient')
  return sides.includes('clinician') && sides.some(p => p === 'patient' || p === 'family' && alone)
}

async function look() {
  if (over || room.mode === 'phone') return
  for (const [id, p] of others) {
    if (!p.look) continue
    const waited = performance.now() - (p.lost || p.began)
    if (!p.was || p.lost) {
      if (waited > REACH && !p.anew) { p.anew = true; if (p.asks) p.pc.restartIce() }
      if (waited > 2 * REACH) { if (decides(id)) return fall('phone', 'lost'); note(words.weak) }
      else if (p.lost) note(words.weak)
      continue
    }
    p.anew = false
    const saw = await p.look()
    if (!saw) continue
    const sends = p.camera !== false
    const poor = sends && saw.still ? 'frozen' : saw.loss > LOSS || saw.narrow ? 'loss' : ''
    p.bad = room.mode === 'video' && poor ? p.bad + 1 : 0
    p.silent = saw.silent ? p.silent + 1 : 0
    if (p.silent >= MUTE) { if (decides(id)) return fall('phone', 'silent'); note(words.weak) }
    else if (p.bad >= BAD) { p.bad = 0; if (decides(id)) return fall('audio', poor); note(words.weak) }
    else if (!p.bad && !p.silent) note('')
  }
}

function note(say) { text('room-note', say); show('room-note', !!say) }

/* A LiveKit server */

async function reach() {
  await import(words.livekit)
  const { Room, RoomEvent, Track } = LivekitClient
  media = new Room()
  const streams = new Map()
  media.on(RoomEvent.TrackSubscribed, (track, _, who) => {
    if (!streams.has(who.identity)) streams.set(who.identity, new MediaStream())
    const stream = streams.get(who.identity)
    for (const t of stream.getTracks()) if (t.kind === track.kind) stream.removeTrack(t)
    stream.addTrack(track.mediaStreamTrack)
    others.set(who.identity, { tell() {} })
    tile(who.identity, label(who.identity), stream, false).hidden = room.mode !== 'video'
  })
  media.on(RoomEvent.ParticipantDisconnected, who => { streams.delete(who.identity); others.delete(who.identity); $('tile-' + who.identity)?.remove() })
  media.on(RoomEvent.ConnectionQualityChanged, (quality, who) => {
    if (who.identity !== me || !room.both) return
    if (quality === 'poor' && room.mode === 'video') { if (++poorly >= BAD) { poorly = 0; fall('audio', 'loss') } } else if (quality === 'lost') fall('phone', 'lost')
    else poorly = 0
  })
  media.on(RoomEvent.Disconnected, () => { if (!over) fall('phone', 'lost') })
  try {
    await media.connect(ticket.url, ticket.token)
    for (const t of local.getTracks()) await media.localParticipant.publishTrack(t, { source: t.kind === 'video' ? Track.Source.Camera : Track.Source.Microphone })
  } catch { await fall('phone', 'lost') }
}
let poorly = 0

/* Buttons */

function switches() {
  for (const [id, kind] of [['mic', 'audio'], ['camera', 'video']]) {
    const b = $(id), tracks = () => local.getTracks().filter(t => t.kind === kind)
    if (!tracks().length) { b.hidden = true; continue }
    b.onclick = () => {
      off[id] = !off[id]
      for (const t of tracks()) t.enabled = !off[id]
      b.textContent = off[id] ? b.dataset.off : b.dataset.on
      for (const p of others.values()) p.tell({ camera: !off.camera, mic: !off.mic })
    }
  }
}

/* Captions: each browser turns its own speaker's words into text, on the device, and tells it to who asked, over the same
   encrypted way as the sound. Where the browser would send speech elsewhere, there are none. */

const Hears = window.SpeechRecognition || window.webkitSpeechRecognition
let able = false, wants = false, hearing = null

async function canCaption() {
  try { able = Hears?.available && await Hears.available({ langs: [root.dataset.lang], processLocally: true }) === 'available' } catch { able = false }
  show('caption', able && ticket.kind === 'peers')
}

function told(p, said) {
  if ('camera' in said) p.camera = said.camera
  if ('caption' in said) { p.captioned = said.caption; caption(); if (said.caption && !able) p.tell({ nocaption: true }) }
  if ('say' in said) line(label(p.id) + ': ' + said.say)
  if (said.nocaption) line(words.nocaptions)
}

function line(say) {
  const p = document.createElement('p')
  p.textContent = say
  $('captions').append(p)
  while ($('captions').children.length > 4) $('captions').firstChild.remove()
}

function caption() {
  const asked = [...others.values()].some(p => p.captioned)
  if (!able || asked === !!hearing) return
  if (!asked) { const h = hearing; hearing = null; h.stop(); return }
  hearing = new Hears()
  Object.assign(hearing, { lang: root.dataset.lang, continuous: true, processLocally: true })
  hearing.onresult = e => {
    for (let i = e.resultIndex; i < e.results.length; i++) if (e.results[i].isFinal) for (const p of others.values()) if (p.captioned) p.tell({ say: e.results[i][0].transcript })
  }
  hearing.onend = () => { if (hearing && !over) hearing.start() }
  hearing.start()
}

$('caption').onclick = () => {
  wants = !wants
  $('caption').textContent = wants ? $('caption').dataset.on : $('caption').dataset.off
  show('captions', wants)
  for (const p of others.values()) p.tell({ caption: wants })
}

$('start').onclick = () => open(true)
$('retry').onclick = () => open(true)
$('sound').onclick = () => open(false)
$('speaker').onclick = chime
$('join').onclick = join
$('leave').onclick = () => leave(words.left)
$('again').onclick = async () => stands(await post('mode', { mode: 'video' }))
if ($('record')) $('record').onchange = async () => stands(await post('record', { seat: me, yes: $('record').checked ? '1' : '' }))
addEventListener('pagehide', () => { if (me && !over) navigator.sendBeacon(root.dataset.room + '/leave', new URLSearchParams({ seat: me })) })

// By telephone nothing runs here; the page comes anew when the visit goes on in another way.
if (root.dataset.phone && root.dataset.hints) new EventSource(root.dataset.hints).addEventListener('look', () => location.reload())
else if (root.dataset.phone) setTimeout(() => location.reload(), 60000)

show('no-video', false)
if (!root.dataset.phone) root.hidden = false
