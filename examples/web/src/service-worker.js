/**
 * The page offline: every file of the build is kept when the page is first loaded, but those of the second engine,
 * which are large: they are kept when they are first used. What is kept is served from there. The build fills in
 * version and files; a new version takes over at the next load.
 */

/** An origin may have other pages with caches of their own. */
const PREFIX = 'fastcam-';
const VERSION = 'VERSION';
const CACHE = `${PREFIX}${VERSION}`;
const FILES = ['FILES'];
const LATER = ['LATER'];

addEventListener('install', (event) => {
  event.waitUntil(caches.open(CACHE).then((cache) => cache.addAll(FILES)));
});

addEventListener('activate', (event) => {
  event.waitUntil(removeOutdated().then(() => clients.claim()));
});

addEventListener('fetch', (event) => {
  event.respondWith(keptOrFetched(event.request));
});

async function removeOutdated() {
  const names = await caches.keys();
  const outdated = names.filter((name) => name.startsWith(PREFIX) && name !== CACHE);
  await Promise.all(outdated.map((name) => caches.delete(name)));
}

async function keptOrFetched(request) {
  const cache = await caches.open(CACHE);
  // What is kept was asked for in another way, without an origin: to servers that is a difference.
  const kept = await cache.match(request, { ignoreSearch: true, ignoreVary: true });
  if (kept) return kept;
  const response = await fetch(request);
  if (response.ok && LATER.some((name) => request.url.endsWith(name))) {
    await cache.put(request, response.clone());
  }
  return response;
}
