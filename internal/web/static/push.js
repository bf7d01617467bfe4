// Offers to show reminders on this device, where it can: asks for permission, subscribes with the server's key (data-key) and
// sends the subscription by the form. A device that shows them already (data-known holds a hash of each) is marked in the list.
const show = id => { document.getElementById(id).hidden = false }

const bytes = text => Uint8Array.from(atob(text.replaceAll('-', '+').replaceAll('_', '/')), c => c.charCodeAt(0))

async function hash(text) {
  const sum = await crypto.subtle.digest('SHA-256', new TextEncoder().encode(text))
  return Array.from(new Uint8Array(sum), b => b.toString(16).padStart(2, '0')).join('')
}

const same = (a, b) => a && a.byteLength === b.length && new Uint8Array(a).every((x, i) => x === b[i])

async function subscribe(key) {
  const { pushManager } = await navigator.serviceWorker.ready
  const had = await pushManager.getSubscription()
  if (had && same(had.options.applicationServerKey, key)) return had
  await had?.unsubscribe() // it belongs to keys that are no longer ours
  return pushManager.subscribe({ userVisibleOnly: true, applicationServerKey: key })
}

async function turnOn(e) {
  const form = e.target
  e.preventDefault()
  try {
    if (await Notification.requestPermission() !== 'granted') { show('push-blocked'); return }
    form.elements.subscription.value = JSON.stringify(await subscribe(bytes(form.dataset.key)))
    form.submit()
  } catch { show('push-failed') }
}

async function offer() {
  const form = document.getElementById('push')
  if (!form) return
  if (!('serviceWorker' in navigator && 'PushManager' in window)) {
    if (navigator.standalone === false) show('push-iphone')
    return
  }
  const { pushManager } = await navigator.serviceWorker.register('/worker.js')
  const had = await pushManager.getSubscription()
  const mine = had && Notification.permission === 'granted' && await hash(had.endpoint)
  if (mine && form.dataset.known.split(' ').includes(mine)) {
    document.querySelector(`[data-device="${mine}"]`).classList.add('mine')
    return
  }
  form.addEventListener('submit', turnOn)
  form.hidden = false
}

offer()
document.addEventListener('fresh', offer) // doorstep.js has put a new page in place
