// Every two seconds the newest feed takes the place of the one shown; while the run is stopped the last one
// stays.
const feed = document.getElementById("feed");
setInterval(async () => {
  try {
    const answer = await fetch("/feed");
    if (answer.ok) {
      const newest = await answer.text();
      if (newest !== feed.dataset.shown) {
        feed.dataset.shown = newest;
        feed.innerHTML = newest;
      }
    }
  } catch {}
}, 2000);
