// Shows a push and opens its page. What it shows comes encrypted from our server and is safe on a locked screen. It reports
// what it has shown: without that word the server sends the same by the next way.
self.addEventListener('install', () => self.skipWaiting())
self.addEventListener('activate', e => e.waitUntil(self.clients.claim()))

const post = (path, fields) => fetch(path, { method: 'POST', credentials: 'same-origin', body: new URLSearchParams(fields) })

// The server may still be writing down that it has sent it: where it does not know of it, or is not reached, it is told again.
const shown = async ref => {
  for (const wait of [0, 3, 10]) {
    await new Promise(done => setTimeout(done, wait * 1000))
    const answer = await post('/push/shown', { ref }).catch(() => null)
    if (answer && answer.ok) return
  }
}

self.addEventListener('push', e => {
  const n = e.data.json()
  e.waitUntil(self.registration.showNotification(n.body, { body: n.from, tag: n.tag, renotify: true, icon: '/icon.png', data: n.link })
    .then(() => shown(n.ref)))
})

self.addEventListener('notificationclick', e => {
  e.notification.close()
  const to = new URL(e.notification.data, self.location.origin)
  if (to.origin === self.location.origin) e.waitUntil(self.clients.openWindow(to))
})

// A browser may change its subscription by itself.
self.addEventListener('pushsubscriptionchange', e => {
  const was = e.oldSubscription
  if (was) e.waitUntil(self.registration.pushManager.subscribe(was.options)
    .then(is => post('/push/on', { subscription: JSON.stringify(is), was: was.endpoint })))
})
