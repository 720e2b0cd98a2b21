// What is entered and pressed is sent without leaving the page, and the room is looked at every second. Without
// this script the forms do the same, and the page is loaded again.
const messages = document.getElementById("messages");
const composer = document.getElementById("composer");
const text = document.getElementById("text");
let shown = null;

async function look() {
  try {
    const answer = await fetch(messages.dataset.from);
    if (!answer.ok) return;
    const newest = await answer.text();
    // A question that is open is not closed under the hand.
    if (newest === shown || messages.querySelector("details[open]")) return;
    const first = shown === null;
    shown = newest;
    messages.innerHTML = newest;
    if (!first || messages.scrollTop === 0) messages.scrollTop = messages.scrollHeight;
  } catch {}
}

async function send(form) {
  const button = form.querySelector("button");
  button.disabled = true;
  try {
    const answer = await fetch(form.action, { method: "POST", body: new URLSearchParams(new FormData(form)) });
    if (!answer.ok) throw new Error(await answer.text());
    return true;
  } catch (problem) {
    const line = document.createElement("p");
    line.className = "hint";
    line.textContent = "Not sent: " + problem.message;
    messages.append(line);
    return false;
  } finally {
    button.disabled = false;
    messages.querySelectorAll("details[open]").forEach((details) => { details.open = false; });
    await look();
  }
}

composer.addEventListener("submit", async (event) => {
  event.preventDefault();
  if (await send(composer)) text.value = "";
  text.focus();
});

messages.addEventListener("submit", (event) => {
  event.preventDefault();
  send(event.target);
});

messages.scrollTop = messages.scrollHeight;
setInterval(look, 1000);
