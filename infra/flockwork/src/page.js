// Asks for what has changed, one request after the other, and not while nobody looks. What cannot be asked for is said to be
// stale; the last feed stays.
const PAUSE = 2000;
const feed = document.getElementById("feed");
const stale = document.getElementById("stale");
const clock = document.getElementById("clock");
let tag = feed.dataset.tag;
let asking = false;
let timer;

// What is not whole yet is asked for again at once, but where nobody answers.
const pause = () => (stale.hidden && document.getElementById("behind") ? 0 : PAUSE);

const look = async () => {
  clearTimeout(timer);
  if (asking || document.hidden) return;
  asking = true;
  try {
    const answer = await fetch("/feed", { headers: { "If-None-Match": tag }, cache: "no-store" });
    if (answer.ok) {
      feed.innerHTML = await answer.text();
      tag = answer.headers.get("ETag");
    } else if (answer.status !== 304) {
      throw new Error(await answer.text());
    }
    clock.textContent = answer.headers.get("Flockwork-Now");
    stale.hidden = true;
  } catch {
    stale.hidden = false;
  }
  // Nothing comes in a while where nothing answers.
  document.body.classList.toggle("stale", !stale.hidden);
  asking = false;
  timer = setTimeout(look, pause());
};

// Looks go on from here once somebody looks again.
document.addEventListener("visibilitychange", look);
timer = setTimeout(look, pause());
