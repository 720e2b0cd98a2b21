// What is entered and pressed is sent without leaving the page, and the room is looked at every second. Without
// this script the forms do the same, and the page is loaded again.
localStorage.setItem("door", location.pathname);

const messages = document.getElementById("messages");
const composer = document.getElementById("composer");
const text = document.getElementById("text");

// Only what is new or has changed is put in, so that nobody is read the whole room again.
async function look() {
  let answer;
  try {
    answer = await fetch(messages.dataset.from);
  } catch {
    // The run is stopped; the room stays as it was.
  }
  if (!answer || !answer.ok) return;
  const newest = document.createElement("template");
  newest.innerHTML = await answer.text();
  const below = messages.scrollHeight - messages.clientHeight - messages.scrollTop;
  const wanted = [...newest.content.children];
  wanted.forEach((element, place) => {
    const there = messages.children[place];
    if (!there) messages.append(element);
    // A question that is open is not closed under the hand.
    else if (!there.isEqualNode(element) && !there.querySelector("details[open]")) there.replaceWith(element);
  });
  while (wanted.length < messages.children.length) messages.lastElementChild.remove();
  if (below < 40) messages.scrollTop = messages.scrollHeight;
}

async function send(form) {
  composer.querySelectorAll(".problem").forEach((line) => line.remove());
  const body = new URLSearchParams(new FormData(form));
  // The next may be written while this one is on its way.
  if (form === composer) text.value = "";
  try {
    const answer = await fetch(form.getAttribute("action"), { method: "POST", body });
    if (!answer.ok) throw new Error(await answer.text());
  } catch (problem) {
    const line = document.createElement("p");
    line.className = "problem";
    line.setAttribute("role", "alert");
    line.textContent = "Not sent: " + problem.message;
    composer.append(line);
    if (form === composer && text.value === "") text.value = body.get("text");
  }
  await look();
}

composer.addEventListener("submit", (event) => {
  event.preventDefault();
  send(composer);
  text.focus();
});

messages.addEventListener("submit", (event) => {
  event.preventDefault();
  const form = event.target;
  form.querySelectorAll("details").forEach((details) => { details.open = false; });
  // Twice would be two presses, and the message may be another after the first.
  form.querySelectorAll("button").forEach((button) => { button.disabled = true; });
  send(form).finally(() => form.querySelectorAll("button").forEach((button) => { button.disabled = false; }));
});

messages.scrollTop = messages.scrollHeight;
setInterval(look, 1000);
