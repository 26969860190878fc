/** On the page that asks who one is: nobody is signed in, so no page of anybody is kept for offline. */

if ("caches" in globalThis) await caches.delete("boards-shells");
