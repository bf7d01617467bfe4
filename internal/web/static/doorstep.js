// A page that says where its hints come from (data-live on <html>) fetches itself again when one comes, and puts the new
// <main> in place without taking away what a person is doing: focus, scroll, open details. While something typed is not yet
// sent, it waits. When the hints stop it says so: silence must not look like calm.
const live = document.documentElement.dataset.live
const stale = document.getElementById('stale')
let typed = false, again = false, busy = false, lost

document.addEventListener('input', e => { if (e.target.closest('main form')) typed = true })
document.addEventListener('reset', () => { typed = false; if (again) look() })

async function look() {
  if (busy || typed) { again = true; return }
  busy = true
  again = false
  try {
    const answer = await fetch(location.href, { headers: { Accept: 'text/html' }, credentials: 'same-origin' })
    if (!answer.ok || answer.redirected) { location.reload(); return }
    const fresh = new DOMParser().parseFromString(await answer.text(), 'text/html').querySelector('main')
    const old = document.querySelector('main')
    if (fresh && !typed && fresh.innerHTML !== old.innerHTML) put(old, fresh)
  } catch { again = true } finally { busy = false }
  if (again && !typed) setTimeout(look, 2000)
}

function put(old, fresh) {
  const focus = document.activeElement?.id, y = scrollY
  for (const d of old.querySelectorAll('details[id][open]')) fresh.querySelector('#' + CSS.escape(d.id))?.setAttribute('open', '')
  for (const e of fresh.querySelectorAll('[id]')) if (!old.querySelector('#' + CSS.escape(e.id))) e.classList.add('fresh')
  old.replaceWith(fresh)
  if (focus) document.getElementById(focus)?.focus({ preventScroll: true })
  scrollTo(0, y)
  document.dispatchEvent(new Event('fresh'))
}

if (live) {
  const source = new EventSource(live)
  source.addEventListener('look', look)
  source.onopen = () => { clearTimeout(lost); lost = 0; if (stale && !stale.hidden) { stale.hidden = true; look() } }
  source.onerror = () => {
    lost ||= setTimeout(() => { if (stale) stale.hidden = false }, 15000)
    if (source.readyState === EventSource.CLOSED) look()
  }
}
